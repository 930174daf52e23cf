// The counter: the till's shift and its cash, and who sells.
"use strict";

const Till = (() => {
    const { data, may, element, text, money, hundredths } = Counter;
    const button = document.getElementById("till-button");
    const sheet = document.getElementById("till-sheet");
    const trouble = document.getElementById("till-trouble");
    const openForm = document.getElementById("open-shift");
    const verbs = document.getElementById("shift-verbs");
    const moveForm = document.getElementById("move-cash");
    const closeForm = document.getElementById("close-shift");
    const chooseForm = document.getElementById("choose-till");
    const closed = document.getElementById("closed-shift");
    let shift = data.shift;
    let afterOpening = null;

    function clock(moment) {
        return new Intl.DateTimeFormat(data.language, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: data.zone })
            .format(new Date(moment));
    }

    function show() {
        document.getElementById("till-name").textContent = text("till", { till: data.till });
        document.getElementById("till-state").textContent = shift
            ? text("shift_open", { time: clock(shift.opened_at) })
            : text("shift_closed");
        button.classList.toggle("chip-on", Boolean(shift));
        document.getElementById("till-title").textContent = text("till", { till: data.till });
        openForm.hidden = Boolean(shift) || !may.open_shift || !closed.hidden;
        verbs.hidden = !shift;
        moveForm.hidden = !may.move_cash;
        closeForm.hidden = !may.close_shift;
    }

    // Each form keeps its token until it was answered: a second tap, or a second try, does nothing twice.
    async function send(form, url, body) {
        const buttons = form.querySelectorAll("button");
        form.dataset.once ||= Counter.token();
        buttons.forEach((one) => { one.disabled = true; });
        const answer = await Counter.send(url, { ...body, once: form.dataset.once });
        buttons.forEach((one) => { one.disabled = false; });
        if (answer?.ok) {
            delete form.dataset.once;
            form.reset();
            Counter.trouble(trouble, "");
            return answer.body;
        }
        if (answer !== null) {
            delete form.dataset.once;
        }
        if (answer?.body.type === "locked") {
            Seller.ask();
        }
        if (answer?.status === 409) {
            refresh();
        }
        Counter.trouble(trouble, Counter.reason(answer));
        return null;
    }

    // "in" and "out" are two forms to the server: the same token must not stand for both.
    function amountOf(form, name) {
        const amount = Counter.readAmount(form.elements[name].value);
        if (amount === null) {
            Counter.trouble(trouble, text("bad_amount"));
            form.elements[name].focus();
        }
        return amount;
    }

    async function refresh() {
        const query = new URLSearchParams({ location: data.location, till: data.till });
        const answer = await Counter.send(`${data.urls.shift}?${query}`);
        if (answer?.ok) {
            shift = answer.body.shift;
            show();
        }
    }

    openForm.addEventListener("submit", async (event) => {
        event.preventDefault();
        const amount = amountOf(openForm, "opening_float");
        if (amount === null) {
            return;
        }
        const body = { location: data.location, till: data.till, opening_float: Counter.decimal(amount) };
        const done = await send(openForm, data.urls.open_shift, body);
        if (done) {
            shift = done.shift;
            show();
            sheet.close();
            Counter.toast(text("shift_opened"));
            const next = afterOpening;
            afterOpening = null;
            next?.();
        }
    });

    moveForm.addEventListener("submit", async (event) => {
        event.preventDefault();
        const amount = amountOf(moveForm, "amount");
        if (amount === null || !shift) {
            return;
        }
        const isOut = event.submitter?.value === "out";
        const body = {
            shift: shift.id, amount: Counter.decimal(amount), is_out: isOut, reason: moveForm.elements.reason.value,
        };
        const done = await send(moveForm, data.urls.move_cash, body);
        if (done) {
            Counter.toast(text(isOut ? "taken_out" : "put_in", { amount: money(amount) }));
            sheet.close();
        }
    });

    closeForm.addEventListener("submit", async (event) => {
        event.preventDefault();
        const counted = amountOf(closeForm, "counted");
        if (counted === null || !shift) {
            return;
        }
        const body = { shift: shift.id, counted: Counter.decimal(counted), comment: closeForm.elements.comment.value };
        const done = await send(closeForm, data.urls.close_shift, body);
        if (done) {
            shift = null;
            showClosed(done.closed);
            show();
        }
    });

    chooseForm.addEventListener("submit", async (event) => {
        event.preventDefault();
        const answer = await Counter.send(data.urls.till, {
            location: Number(chooseForm.elements.location.value), till: chooseForm.elements.till.value,
        });
        if (answer?.ok) {
            window.location.reload();
        } else {
            Counter.trouble(trouble, Counter.reason(answer));
        }
    });

    function showClosed(report) {
        const difference = hundredths(report.difference);
        const verdict = difference === 0
            ? text("closed_exact")
            : text(difference < 0 ? "closed_missing" : "closed_too_much", { amount: money(Math.abs(difference)) });
        const list = element("dl", { class: "sums" });
        for (const [name, amount] of [
            [text("expected"), report.expected], [text("counted"), report.counted], ...report.methods,
        ]) {
            list.append(element("dt", {}, name), element("dd", {}, money(hundredths(amount))));
        }
        closed.replaceChildren(
            element("p", {}, text("closed")),
            element("p", { class: difference ? "verdict bad" : "verdict" }, verdict),
            list,
        );
        closed.hidden = false;
    }

    function open() {
        closed.hidden = true;
        Counter.trouble(trouble, "");
        show();
        sheet.showModal();
    }

    // Opens the sheet because cash needs a shift; `then` goes on where somebody was.
    function need(then) {
        afterOpening = then;
        open();
        Counter.trouble(trouble, text("cash_needs_shift"));
        openForm.elements.opening_float.focus();
    }

    sheet.addEventListener("close", () => {
        closed.hidden = true;
        show();
    });
    button.addEventListener("click", () => {
        afterOpening = null;
        open();
        refresh();
    });
    show();

    return { need, refresh, shift: () => shift };
})();

const Seller = (() => {
    const { data, element, text } = Counter;
    const button = document.getElementById("seller-button");
    const sheet = document.getElementById("seller-sheet");
    const people = document.getElementById("people");
    const form = document.getElementById("pin-form");
    const pin = document.getElementById("pin");
    const pad = document.getElementById("pad");
    const lock = document.getElementById("lock");
    const trouble = document.getElementById("seller-trouble");
    let seller = data.seller;
    let isNeeded = data.seller_is_needed;
    let chosen = null;

    function show() {
        document.getElementById("seller-name").textContent = seller ? seller.name : text("nobody_sells");
        document.getElementById("seller-hint").textContent = isNeeded ? text("locked") : seller ? text("sells") : "";
        button.classList.toggle("chip-bad", isNeeded);
        lock.hidden = isNeeded || !data.can_lock;
    }

    function choose(person) {
        chosen = person;
        pin.value = "";
        Counter.trouble(trouble, "");
        people.hidden = Boolean(person);
        form.hidden = !person;
        document.getElementById("pin-name").textContent = person ? person.name : "";
    }

    async function say(person, code) {
        const answer = await Counter.send(data.urls.seller, { employee: person.id, pin: code });
        if (answer?.ok) {
            seller = answer.body.seller;
            isNeeded = false;
            show();
            sheet.close();
            return true;
        }
        Counter.trouble(trouble, Counter.reason(answer));
        pin.value = "";
        return false;
    }

    people.replaceChildren(...data.people.map((person) => {
        const tile = element("button", { type: "button", class: "button plain person" }, person.name);
        tile.addEventListener("click", () => (person.has_pin ? choose(person) : say(person, "")));
        return element("li", {}, tile);
    }));
    if (!data.people.length) {
        people.append(element("li", { class: "empty" }, text("no_people")));
    }
    for (const key of ["1", "2", "3", "4", "5", "6", "7", "8", "9", "⌫", "0"]) {
        const press = element("button", { type: "button", class: "button plain" }, key);
        press.addEventListener("click", () => {
            pin.value = key === "⌫" ? pin.value.slice(0, -1) : (pin.value + key).slice(0, 6);
        });
        pad.append(press);
    }
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        say(chosen, pin.value);
    });
    document.getElementById("pin-back").addEventListener("click", () => choose(null));
    lock.addEventListener("click", async () => {
        const answer = await Counter.send(data.urls.lock, {});
        if (answer?.ok) {
            seller = answer.body.seller;
            isNeeded = answer.body.is_needed;
            show();
            sheet.close();
        } else {
            Counter.trouble(trouble, Counter.reason(answer));
        }
    });

    function ask() {
        choose(null);
        show();
        if (!sheet.open) {
            sheet.showModal();
        }
    }

    button.addEventListener("click", ask);
    show();
    if (isNeeded) {
        ask();
    }

    return {
        // The server has the last word on whether somebody must say who they are.
        ask: () => {
            seller = null;
            isNeeded = true;
            ask();
        },
    };
})();
