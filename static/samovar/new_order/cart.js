// New order: the cart. Its lines, and what the server says of them: price and shortages, asked anew at each change.
"use strict";

const Cart = (() => {
    const list = document.getElementById("pos-lines");
    const sums = document.getElementById("pos-sums");
    const trouble = document.getElementById("pos-trouble");
    const title = document.getElementById("pos-cart-title");
    const bar = document.getElementById("pos-bar");
    const empty = document.getElementById("pos-empty");
    const WAIT = 200;

    let lines = [];
    let quote = null; // the server's answer for the lines as they are; null while it is not known
    let faults = {}; // {line: sentence}
    let asking = null;
    let onChange = () => {};
    let more = () => ({});

    function sameDrink(line, product, options) {
        return line.product === product && line.options.length === options.length
            && options.every((id) => line.options.includes(id));
    }

    function items() {
        return lines.map(({ product, quantity, options }) => ({ product, quantity, options }));
    }

    function localTotal(line) {
        const product = Shop.products.get(line.product);
        return product ? Shop.unitPrice(product, line.options) * line.quantity : 0;
    }

    function lineTotal(place) {
        return quote ? Shop.hundredths(quote.lines[place].total) : localTotal(lines[place]);
    }

    function total() {
        return quote ? Shop.hundredths(quote.total) : lines.reduce((sum, line) => sum + localTotal(line), 0);
    }

    function iconButton(name, label, work) {
        const button = Shop.element("button", { type: "button", class: "pos-icon", "aria-label": label }, Shop.icon(name));
        button.addEventListener("click", work);
        return button;
    }

    function stepper(line, name) {
        const box = Shop.element("div", { class: "pos-stepper" });
        const input = Shop.element("input", {
            type: "text", inputmode: "numeric", maxlength: "4", value: String(line.quantity), "aria-label": name,
        });
        const set = (value) => {
            line.quantity = Math.min(Math.max(value, 1), 1000);
            changed();
        };
        input.addEventListener("change", () => set(Number.isInteger(Number(input.value)) ? Number(input.value) : line.quantity));
        input.addEventListener("focus", () => input.select());
        const step = (sign, by, label) => {
            const button = Shop.element("button", { type: "button", "aria-label": Shop.text(label, { name }) }, sign);
            button.addEventListener("click", () => (line.quantity + by < 1 ? remove(line) : set(line.quantity + by)));
            return button;
        };
        box.append(step("−", -1, "less"), input, step("+", 1, "more"));
        return box;
    }

    function row(line, place) {
        const product = Shop.products.get(line.product);
        const name = product ? product.name : `#${line.product}`;
        const options = product ? Shop.chosenOptions(product, line.options).map((option) => option.name).join(" · ") : "";
        const words = Shop.element("div", { class: "pos-line-words" }, Shop.element("b", {}, name));
        if (options) {
            words.append(Shop.element("small", {}, options));
        }
        if (product && product.groups.length) {
            words.tabIndex = 0;
            words.setAttribute("role", "button");
            words.setAttribute("aria-label", Shop.text("edit", { name }));
            words.addEventListener("click", () => change(line));
            words.addEventListener("keydown", (event) => event.key === "Enter" && change(line));
        }
        const item = Shop.element(
            "li",
            { class: "pos-line" },
            words,
            iconButton("delete", Shop.text("remove", { name }), () => remove(line)),
            stepper(line, name),
            Shop.element("span", { class: "pos-line-total" }, Shop.money(lineTotal(place))),
        );
        if (faults[place]) {
            item.append(Shop.element("p", { class: "pos-line-fault" }, faults[place]));
        }
        return item;
    }

    function showTrouble(sentences, heading = "") {
        trouble.hidden = sentences.length === 0 && !heading;
        trouble.replaceChildren(
            ...(heading ? [Shop.element("b", {}, heading)] : []),
            ...sentences.map((sentence) => Shop.element("p", {}, sentence)),
        );
    }

    function showQuoteTrouble() {
        if (quote?.is_available && quote.corrections.length) {
            showTrouble(quote.corrections, Shop.text("corrections_title"));
            return;
        }
        if (!quote || quote.is_available) {
            showTrouble([]);
            return;
        }
        const names = quote.unavailable.map((one) => one.name).join(", ");
        const heading = names ? Shop.text("unavailable_title", { names }) : Shop.text("short_title");
        const shortages = quote.shortages.map((shortage) => shortage.text);
        showTrouble(shortages.length ? shortages : [Shop.text("unavailable_hint")], heading);
    }

    // What is taken off, one line each: the sum of the lines first, so that they add up.
    function steps() {
        if (!quote || !quote.steps.length) {
            return [];
        }
        const row = (name, amount) =>
            Shop.element("span", { class: "pos-step" }, Shop.element("span", {}, name), Shop.element("span", {}, amount));
        return [
            row("", Shop.money(Shop.hundredths(quote.subtotal))),
            ...quote.steps.map((step) => row(step.name, `−${Shop.money(Shop.hundredths(step.amount))}`)),
        ];
    }

    function show() {
        const count = lines.reduce((sum, line) => sum + line.quantity, 0);
        const focused = [...list.querySelectorAll("button, input, [tabindex]")].indexOf(document.activeElement);
        list.replaceChildren(...lines.map(row));
        if (focused >= 0) {
            list.querySelectorAll("button, input, [tabindex]")[focused]?.focus({ preventScroll: true });
        }
        empty.hidden = lines.length > 0;
        title.textContent = Shop.text("cart", { number: count });
        bar.firstElementChild.textContent = Shop.text("cart", { number: count });
        bar.lastElementChild.textContent = Shop.money(total());
        sums.classList.toggle("pos-guess", quote === null && lines.length > 0);
        sums.replaceChildren(...steps(), Shop.element("b", {}, Shop.money(total())));
    }

    async function ask() {
        asking?.abort();
        if (!lines.length) {
            quote = null;
            faults = {};
            showTrouble([]);
            show();
            return;
        }
        const mine = new AbortController();
        asking = mine;
        try {
            const { ok, body } = await Shop.ask(Shop.data.urls.quote, { items: items(), ...more() }, mine.signal);
            if (asking !== mine) {
                return;
            }
            quote = ok ? body : null;
            faults = {};
            if (ok) {
                showQuoteTrouble();
            } else {
                refused(body);
            }
            show();
        } catch (error) {
            if (error.name !== "AbortError") {
                showTrouble([Shop.text("unreachable")]);
            }
        }
    }

    const askSoon = Shop.debounced(ask, WAIT);

    // What the server refused: at the lines that it names, all else above the buttons.
    function refused(body) {
        faults = {};
        const others = [];
        for (const [field, sentences] of Object.entries(body.errors || {})) {
            const place = /^items\[(\d+)\]/.exec(field);
            if (place) {
                faults[Number(place[1])] = sentences.join(" ");
            } else {
                others.push(...sentences);
            }
        }
        const isSaid = Object.keys(faults).length > 0;
        showTrouble(others.length || isSaid ? others : [body.detail]);
        show();
    }

    function changed() {
        quote = null;
        faults = {};
        show();
        onChange();
        askSoon();
    }

    function add(product, { options, quantity }) {
        const known = lines.find((line) => sameDrink(line, product.id, options));
        if (known) {
            known.quantity = Math.min(known.quantity + quantity, 1000);
        } else {
            lines.push({ product: product.id, options, quantity });
        }
        changed();
    }

    function change(line) {
        Options.ask(Shop.products.get(line.product), line, (answer) => {
            Object.assign(line, answer);
            changed();
        });
    }

    function remove(line) {
        lines = lines.filter((one) => one !== line);
        changed();
    }

    return {
        add,
        items,
        refused,
        askSoon,
        show,
        say: (sentence) => showTrouble(sentence ? [sentence] : []),
        isEmpty: () => lines.length === 0,
        countOf: (product) =>
            lines.filter((line) => line.product === product.id).reduce((sum, line) => sum + line.quantity, 0),
        set: (these) => {
            lines = these.map((line) => ({ ...line }));
            changed();
        },
        start: (answers) => {
            ({ onChange, more } = answers);
        },
    };
})();
