// The counter: the cart, what it costs, and the sale.
"use strict";

const Sale = (() => {
    const { data, may, element, text, money, hundredths } = Counter;
    const linesBox = document.getElementById("lines");
    const sums = document.getElementById("sums");
    const trouble = document.getElementById("trouble");
    const payButton = document.getElementById("pay");
    const comment = document.getElementById("comment");
    const promoCode = document.getElementById("promo-code");
    const doneBox = document.getElementById("done");
    const phoneBar = document.getElementById("phone-bar");
    const KEPT = "counter-cart";
    let lines = [];
    let quote = null;
    let anyway = false;
    let turn = 0;
    // The token of an order that costs nothing; of others the pay sheet has it.
    let free = null;

    // --- the cart ---

    const keyOf = (line) => [line.product, ...[...line.options].sort((one, other) => one - other)].join("-");
    const number = () => lines.reduce((sum, line) => sum + line.quantity, 0);
    const guess = () => lines.reduce((sum, line) => {
        const product = Menu.product(line.product);
        return sum + (product ? Menu.unitPrice(product, line.options) * line.quantity : 0);
    }, 0);

    function add(line) {
        const same = lines.find((one) => keyOf(one) === keyOf(line));
        if (same) {
            same.quantity = Math.min(same.quantity + line.quantity, 1000);
        } else {
            lines.push(line);
        }
        changed();
    }

    function pick(product, asks) {
        doneBox.hidden = true;
        if (asks) {
            Options.ask(product, null, (chosen) => add({ product: product.id, ...chosen }));
        } else {
            add({ product: product.id, options: Menu.usualOf(product), quantity: 1 });
        }
    }

    function change(line, by) {
        line.quantity = Math.min(line.quantity + by, 1000);
        lines = lines.filter((one) => one.quantity > 0);
        changed();
    }

    function edit(line) {
        const product = Menu.product(line.product);
        if (product.groups.length) {
            Options.ask(product, line, (chosen) => {
                lines = lines.filter((one) => one !== line);
                add({ product: line.product, ...chosen });
            });
        }
    }

    function lineElement(line, place) {
        const product = Menu.product(line.product);
        const options = Menu.optionsOf(product, line.options).map((option) => option.name).join(", ");
        const words = element("button", { type: "button", class: "line-words", disabled: !product.groups.length }, element("b", {}, product.name));
        if (options) {
            words.append(element("small", {}, options));
        }
        words.addEventListener("click", () => edit(line));
        const step = (by, sign, label) => {
            const button = element("button", { type: "button", "aria-label": text(label, { name: product.name }) }, sign);
            button.addEventListener("click", () => change(line, by));
            return button;
        };
        const priced = quote?.lines?.[place];
        const total = priced ? hundredths(priced.total) : Menu.unitPrice(product, line.options) * line.quantity;
        return element(
            "li", { class: "line" },
            words,
            element("span", { class: "line-total" }, money(total)),
            element("div", { class: "stepper" }, step(-1, "−", "less"), element("output", {}, String(line.quantity)), step(1, "+", "more")),
        );
    }

    function show() {
        lines = lines.filter((line) => Menu.product(line.product));
        linesBox.replaceChildren(...lines.map(lineElement));
        const isEmpty = !lines.length;
        document.getElementById("cart-empty").hidden = !isEmpty;
        document.getElementById("fields").hidden = isEmpty;
        document.getElementById("cart-clear").hidden = isEmpty;
        const count = document.getElementById("cart-count");
        count.textContent = number();
        count.hidden = isEmpty;
        showSums();
        phoneBar.hidden = isEmpty;
        document.getElementById("phone-cart").textContent = text("cart", { number: number() });
        document.getElementById("phone-pay").textContent = payButton.textContent;
        document.getElementById("phone-pay").disabled = payButton.disabled;
    }

    function row(name, amount, kind = "") {
        return [element("dt", { class: kind }, name), element("dd", { class: kind }, amount)];
    }

    function showSums() {
        const total = quote?.total !== undefined ? hundredths(quote.total) : guess();
        const rows = [];
        if (quote?.steps?.length) {
            rows.push(...row(text("subtotal"), money(hundredths(quote.subtotal))));
            for (const step of quote.steps) {
                const name = step.kind === "points" ? text("points", { number: step.points }) : step.name || text("discount");
                rows.push(...row(name, money(-hundredths(step.amount)), "off"));
            }
        }
        if (lines.length) {
            rows.push(...row(text("total"), money(total), quote ? "total" : "total guess"));
        }
        sums.replaceChildren(...rows);
        payButton.disabled = !lines.length || Boolean(quote && !quote.is_available);
        payButton.textContent = lines.length ? text("pay", { amount: money(total) }) : text("pay", { amount: "" }).trim();
        showTrouble();
    }

    function showTrouble() {
        const said = [];
        if (quote?.detail) {
            said.push(element("p", {}, quote.detail));
        }
        if (quote?.unavailable?.length) {
            said.push(element("p", {}, text("unavailable", { names: quote.unavailable.map((one) => one.name).join(", ") })));
        }
        for (const [title, shortages] of [["short_title", quote?.shortages?.map((one) => one.text)], ["corrections_title", quote?.corrections]]) {
            if (shortages?.length) {
                said.push(element("p", {}, element("b", {}, text(title))), ...shortages.map((one) => element("p", {}, one)));
            }
        }
        if (quote && !quote.detail && !quote.is_available && !anyway && (may.sell_anyway || may.sell_below_minimum)) {
            const button = element("button", { type: "button", class: "button plain" }, text(may.sell_anyway ? "sell_anyway" : "sell_below"));
            button.addEventListener("click", () => {
                anyway = true;
                changed();
            });
            said.push(button);
        }
        trouble.replaceChildren(...said);
        trouble.hidden = !said.length;
        trouble.classList.toggle("mild", Boolean(quote?.is_available));
    }

    function asked() {
        return {
            location: data.location,
            items: lines.map((line) => ({ product: line.product, quantity: line.quantity, options: line.options })),
            customer: Customer.chosen(),
            redeem_points: Customer.points(),
            promo_code: promoCode.value.trim(),
            comment: comment.value.trim(),
            sells_anyway: anyway && may.sell_anyway,
            sells_below_minimum: anyway && !may.sell_anyway && may.sell_below_minimum,
        };
    }

    const ask = Counter.debounced(async () => {
        const mine = ++turn;
        if (!lines.length) {
            return;
        }
        const answer = await Counter.send(data.urls.quote, asked());
        if (mine === turn && answer !== null) {
            quote = answer.ok ? answer.body : { detail: answer.body.detail, is_available: false };
            show();
        }
    }, 150);

    function changed() {
        turn += 1;
        quote = null;
        if (!lines.length) {
            anyway = false;
        }
        keep();
        show();
        ask();
    }

    // A page that is reloaded has its cart again; another day it has not.
    function keep() {
        sessionStorage.setItem(KEPT, JSON.stringify(lines));
    }

    function clear() {
        lines = [];
        quote = null;
        anyway = false;
        comment.value = "";
        promoCode.value = "";
        Customer.clear();
        closeCart();
        keep();
        show();
    }

    // --- paying ---

    async function pay() {
        if (!lines.length) {
            return;
        }
        if (!quote) {
            // The price of what was tapped just now is on its way; nobody pays a guess.
            const answer = await Counter.send(data.urls.quote, asked());
            if (answer === null) {
                Counter.toast(text("not_saved"), true);
                return;
            }
            turn += 1;
            quote = answer.ok ? answer.body : { detail: answer.body.detail, is_available: false };
            show();
            if (!quote.is_available) {
                return;
            }
        }
        const cart = asked();
        const total = quote.total;
        const send = (tenders, once) => Counter.send(data.urls.sell, {
            ...cart, tenders, once, total, shift: tenders.length ? Till.shift()?.id ?? null : null,
        });
        if (!hundredths(total)) {
            // Points or a code pay for all of it.
            free ??= Counter.token();
            const answer = await send([], free);
            if (answer?.ok) {
                free = null;
                sold(answer.body);
            } else {
                Counter.toast(Counter.reason(answer), true);
            }
            return;
        }
        Pay.open({
            title: text("to_pay"),
            due: hundredths(total),
            later: text("pay_later"),
            send,
            done: sold,
            refused: (answer) => {
                if (answer !== null) {
                    changed();
                }
            },
        });
    }

    function sold(body) {
        const [due, change] = [hundredths(body.due), hundredths(body.change)];
        doneBox.querySelector(".done-call").textContent = body.call;
        doneBox.querySelector(".done-words").textContent = due ? text("sold_unpaid", { amount: money(due) }) : text("sold");
        doneBox.querySelector(".done-change").hidden = !change;
        doneBox.querySelector(".done-change b").textContent = money(change);
        doneBox.querySelectorAll("[data-print]").forEach((link) => { link.href = `${body[link.dataset.print]}?print=1`; });
        clear();
        doneBox.hidden = false;
        document.getElementById("next-order").focus({ preventScroll: true });
        Queue.sold(body.id);
        Menu.refresh();
    }

    // --- the phone's cart ---

    const openCart = () => document.getElementById("cart").classList.add("open");
    const closeCart = () => document.getElementById("cart").classList.remove("open");

    document.getElementById("phone-cart").addEventListener("click", openCart);
    document.getElementById("cart-back").addEventListener("click", closeCart);
    document.getElementById("phone-pay").addEventListener("click", pay);
    document.getElementById("cart-clear").addEventListener("click", clear);
    document.getElementById("next-order").addEventListener("click", () => { doneBox.hidden = true; });
    payButton.addEventListener("click", pay);
    promoCode.addEventListener("input", Counter.debounced(changed, 500));
    Customer.start(changed);
    Menu.start(pick);
    try {
        lines = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]").filter((line) => Menu.product(line.product)?.is_listed);
    } catch {
        lines = [];
    }
    show();
    if (lines.length) {
        ask();
    }

    return { hasLines: () => lines.length > 0 };
})();
