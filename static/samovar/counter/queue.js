// The counter: the queue. Cards of what waits, the longest waiting first; one tap carries an order along.
"use strict";

const Queue = (() => {
    const { data, may, element, text, money, hundredths } = Counter;
    const STEPS = {
        pending: { verb: "prepare", label: "prepare", next: "preparing" },
        preparing: { verb: "ready", label: "make_ready", next: "ready" },
        ready: { verb: "complete", label: "hand_over", next: "completed" },
    };
    // Milliseconds: how often it asks while somebody looks and while nobody does, and how long a finger is let finish.
    const EVERY = 4000;
    const EVERY_HIDDEN = 20000;
    const QUIET = 700;
    const WARN = 7;
    const LATE = 15;

    const box = document.getElementById("queue");
    const columns = box.querySelector(".columns");
    const lists = Object.fromEntries(Object.keys(STEPS).map((status) => [status, document.getElementById(`cards-${status}`)]));
    const cards = new Map();
    const seen = new Set(data.orders.map((order) => order.id));
    const own = new Set();
    let orders = data.orders;
    let etag = null;
    let timer;
    let isAsking = false;
    let asksAgain = false;
    let lastTouch = 0;
    let waitsForQuiet;

    // --- cards ---

    function ageOf(order) {
        return Math.max(Math.floor((Date.now() - new Date(order.placed_at).getTime()) / 60000), 0);
    }

    function inWords(minutes) {
        return minutes < 60
            ? text("minutes", { minutes })
            : text("hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
    }

    function showAge(card, order) {
        const minutes = ageOf(order);
        const age = card.querySelector(".age");
        const said = inWords(minutes);
        if (age.textContent !== said) {
            age.textContent = said;
        }
        card.classList.toggle("warn", minutes >= WARN && minutes < LATE);
        card.classList.toggle("late", minutes >= LATE);
    }

    function lineOf([quantity, name, options]) {
        const line = element("li", {}, element("b", {}, quantity > 1 ? `${quantity} × ` : ""), name);
        line.classList.toggle("many", quantity > 1);
        if (options.length) {
            line.append(element("small", {}, options.join(", ")));
        }
        return line;
    }

    function payBadge(order) {
        const due = hundredths(order.due);
        if (!due) {
            return element("span", { class: "badge paid" }, text("paid"));
        }
        const label = text("due", { amount: money(due) });
        return may.pay
            ? element("button", { type: "button", class: "badge due", "data-act": "pay" }, label)
            : element("span", { class: "badge due" }, label);
    }

    function printLink(order) {
        const link = document.getElementById("print-link").content.firstElementChild.cloneNode(true);
        link.href = `${Counter.orderUrl("labels", order.id)}?print=1`;
        return link;
    }

    function fill(card, order) {
        const step = STEPS[order.status];
        const head = element(
            "header", {},
            element("b", { class: "call", title: `#${order.number}` }, order.call),
            element("span", { class: "who" }, order.customer, element("small", {}, data.channels[order.channel])),
            element("span", { class: "age" }),
        );
        const parts = [head, element("ul", { class: "card-lines" }, ...order.lines.map(lineOf))];
        if (order.comment) {
            parts.push(element("p", { class: "wish" }, order.comment));
        }
        const foot = element("div", { class: "card-foot" }, payBadge(order), printLink(order));
        if (may.advance) {
            foot.append(element("button", { type: "button", class: "button step", "data-act": step.verb }, text(step.label)));
        }
        parts.push(element("p", { class: "card-trouble", role: "alert", hidden: true }), foot);
        card.replaceChildren(...parts);
        card.dataset.status = order.status;
        card.classList.remove("busy", "going");
        showAge(card, order);
    }

    // --- what the server says, shown card by card; what has not changed is not touched ---

    function apply(fresh) {
        orders = fresh;
        const wanted = new Set(fresh.map((order) => order.id));
        for (const [id, card] of cards) {
            if (!wanted.has(id)) {
                card.remove();
                cards.delete(id);
            }
        }
        for (const order of fresh) {
            const sign = JSON.stringify(order);
            let card = cards.get(order.id);
            if (!card) {
                card = element("li", { class: "card", "data-order": String(order.id) });
                cards.set(order.id, card);
            }
            if (card.dataset.sign !== sign) {
                const focused = card.contains(document.activeElement);
                fill(card, order);
                card.dataset.sign = sign;
                if (focused) {
                    card.querySelector(".step")?.focus({ preventScroll: true });
                }
            }
        }
        for (const [status, list] of Object.entries(lists)) {
            place(list, fresh.filter((order) => order.status === status).map((order) => cards.get(order.id)));
        }
        count();
    }

    // Puts the cards in their order; those that stand right are not moved, so that a focus or a scroll stays.
    function place(list, wanted) {
        wanted.forEach((card, position) => {
            if (list.children[position] !== card) {
                list.insertBefore(card, list.children[position] ?? null);
            }
        });
    }

    function count() {
        const inAll = document.getElementById("queue-count");
        inAll.textContent = orders.length;
        inAll.hidden = !orders.length;
        for (const status of Object.keys(STEPS)) {
            const number = orders.filter((order) => order.status === status).length;
            box.querySelector(`.column[data-status="${status}"]`).classList.toggle("has-none", !number);
            box.querySelector(`.column[data-status="${status}"] h2 b`).textContent = number || "";
            box.querySelector(`[data-column="${status}"] b`).textContent = number || "";
        }
    }

    // Nothing moves while a finger is on the queue, nor just after.
    function applyWhenQuiet(fresh) {
        clearTimeout(waitsForQuiet);
        const left = QUIET - (Date.now() - lastTouch);
        if (left > 0) {
            waitsForQuiet = setTimeout(() => applyWhenQuiet(fresh), left);
        } else {
            apply(fresh);
        }
    }

    function welcome(fresh) {
        const strangers = fresh.filter((order) => !seen.has(order.id) && !own.has(order.id));
        fresh.forEach((order) => seen.add(order.id));
        if (strangers.length) {
            Counter.tell("new-orders", strangers);
        }
        return strangers;
    }

    function flash(strangers) {
        for (const order of strangers) {
            cards.get(order.id)?.classList.add("fresh");
        }
    }

    // --- asking ---

    async function ask() {
        clearTimeout(timer);
        if (isAsking) {
            asksAgain = true;
            return;
        }
        isAsking = true;
        try {
            const headers = etag ? { "If-None-Match": etag } : {};
            const answer = await Counter.ask(`${data.urls.queue}?location=${data.location}`, undefined, headers);
            if (answer.ok && answer.status === 200) {
                etag = answer.etag;
                const strangers = welcome(answer.body.orders);
                applyWhenQuiet(answer.body.orders);
                setTimeout(() => flash(strangers), 50);
            }
        } catch {
            // The banner says it; the next turn tries again.
        }
        isAsking = false;
        const isAgain = asksAgain;
        asksAgain = false;
        timer = setTimeout(ask, isAgain ? 0 : document.hidden ? EVERY_HIDDEN : EVERY);
    }

    // --- taps ---

    async function advance(card, order, verb) {
        if (card.classList.contains("busy")) {
            return;
        }
        card.classList.add("busy");
        Counter.trouble(card.querySelector(".card-trouble"), "");
        const answer = await Counter.send(Counter.orderUrl(verb, order.id), {});
        card.classList.remove("busy");
        if (answer?.ok) {
            card.classList.add("going");
            carried(order, answer.body.status);
            return;
        }
        if (answer?.body.type === "wrong_status") {
            // Another till, or the first of two taps, was quicker: it is no fault, the card goes where it belongs.
            if (answer.body.status !== STEPS[order.status].next) {
                Counter.toast(text("elsewhere", { call: order.call }));
            }
            card.classList.add("going");
            ask();
            return;
        }
        if (answer?.body.type === "not_paid" && may.pay) {
            pay(order, verb === "complete");
            return;
        }
        if (answer?.body.type === "locked") {
            Seller.ask();
        }
        Counter.trouble(card.querySelector(".card-trouble"), Counter.reason(answer));
    }

    // Moves the card at once, without waiting for the next answer of the server.
    function carried(order, status) {
        const fresh = orders
            .map((one) => (one.id === order.id ? { ...one, status } : one))
            .filter((one) => one.status in STEPS);
        orders = fresh;
        applyWhenQuiet(fresh);
        ask();
    }

    function pay(order, handsOver) {
        Pay.open({
            title: text("to_pay_for", { call: order.call }),
            due: hundredths(order.due),
            later: handsOver && may.complete_unpaid ? text("hand_over_unpaid") : null,
            send: (tenders, once) => (tenders.length
                ? Counter.send(Counter.orderUrl("pay", order.id), {
                    tenders, once, hands_over: handsOver, shift: Till.shift()?.id ?? null,
                })
                : Counter.send(Counter.orderUrl("complete", order.id), { unpaid: true })),
            done: (body) => {
                const said = body.change === undefined ? "" : text(handsOver ? "handed_over" : "taken");
                Counter.toast([said, changeOf(body)].filter(Boolean).join(" "));
                carried(order, body.status);
            },
            refused: (answer) => {
                if (answer !== null) {
                    ask();
                }
            },
        });
    }

    function changeOf(body) {
        const change = hundredths(body.change ?? "0");
        return change ? text("with_change", { amount: money(change) }) : "";
    }

    box.addEventListener("click", (event) => {
        const act = event.target.closest("[data-act]")?.dataset.act;
        const card = event.target.closest(".card");
        const order = card && orders.find((one) => one.id === Number(card.dataset.order));
        if (!act || !order) {
            return;
        }
        if (act === "pay") {
            pay(order, false);
        } else if (STEPS[order.status]?.verb === act) {
            advance(card, order, act);
        }
    });
    for (const name of ["pointerdown", "pointerup"]) {
        box.addEventListener(name, () => { lastTouch = Date.now(); });
    }
    box.querySelectorAll("[data-column]").forEach((tab) => tab.addEventListener("click", () => {
        columns.dataset.shown = tab.dataset.column;
        box.querySelectorAll("[data-column]").forEach((one) => one.setAttribute("aria-pressed", String(one === tab)));
    }));
    document.addEventListener("visibilitychange", ask);
    window.addEventListener("online", ask);
    Counter.on("back", ask);
    setInterval(() => orders.forEach((order) => {
        const card = cards.get(order.id);
        if (card) {
            showAge(card, order);
        }
    }), 15000);

    apply(orders);
    timer = setTimeout(ask, EVERY);

    return {
        ask,
        // An order that this page has sold makes no sound.
        sold: (id) => {
            own.add(id);
            ask();
        },
    };
})();
