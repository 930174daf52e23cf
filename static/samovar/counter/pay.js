// The counter: the sheet on which somebody says how it is paid. It knows nothing of what is paid for.
"use strict";

const Pay = (() => {
    const { element, text, money, may } = Counter;
    // What people hand over: the amount rounded up to each of these that is not too small for it.
    const NOTES = [1, 5, 10, 20, 50, 100, 500, 1000, 5000].map((note) => note * 100);
    const MOST_NOTES = 5;
    const SMALLEST_PART = 20;
    // After these the amount on the sheet is not right any more: it is shut, and what it was opened from is shown anew.
    const OVER = ["price_changed", "insufficient_stock", "unavailable", "wrong_status"];
    const sheet = document.getElementById("pay-sheet");
    const trouble = document.getElementById("pay-trouble");
    const quick = document.getElementById("pay-quick");
    const slow = document.getElementById("pay-parts");
    const notes = document.getElementById("pay-notes");
    const partsBox = document.getElementById("parts");
    const later = document.getElementById("pay-later");
    const done = document.getElementById("pay-done");
    const fields = {
        amount: document.getElementById("part-amount"),
        tip: document.getElementById("part-tip"),
        given: document.getElementById("part-given"),
    };
    let asked = null;
    let parts = [];
    let once = null;
    let isSending = false;

    function notesFor(due) {
        const amounts = NOTES.filter((note) => note * SMALLEST_PART >= due)
            .map((note) => Math.ceil(due / note) * note)
            .filter((amount) => amount > due);
        return [...new Set(amounts)].sort((one, other) => one - other).slice(0, MOST_NOTES);
    }

    function noteButton(given, due) {
        const button = element(
            "button", { type: "button", class: "button plain big", "data-cash": String(given) },
            given === due ? text("exactly", { amount: money(given) }) : money(given),
        );
        if (given !== due) {
            button.append(element("small", {}, text("with_change", { amount: money(given - due) })));
        }
        return button;
    }

    // `wanted`: {title, due (hundredths), later (a label, if it may be paid later), send(tenders, once), done(body)}.
    function open(wanted) {
        asked = wanted;
        parts = [];
        once = Counter.token();
        document.getElementById("pay-title").textContent = wanted.title;
        document.getElementById("pay-due").textContent = money(wanted.due);
        notes.replaceChildren(...[wanted.due, ...notesFor(wanted.due)].map((given) => noteButton(given, wanted.due)));
        later.hidden = !wanted.later;
        later.textContent = wanted.later ?? "";
        Counter.trouble(trouble, "");
        showQuick(true);
        sheet.showModal();
        quick.querySelector("button").focus();
    }

    function showQuick(is) {
        quick.hidden = !is;
        slow.hidden = is;
        if (!is) {
            showParts();
        }
    }

    async function send(tenders) {
        if (isSending) {
            return;
        }
        if (tenders.some((one) => one.method === "cash") && !Till.shift() && may.open_shift) {
            Till.need(() => send(tenders));
            return;
        }
        isSending = true;
        sheet.classList.add("busy");
        Counter.trouble(trouble, "");
        const answer = await asked.send(tenders, once);
        isSending = false;
        sheet.classList.remove("busy");
        if (answer?.ok) {
            sheet.close();
            asked.done(answer.body);
            return;
        }
        // Nobody answered: it may be saved all the same. The same token then makes it saved once, however often it is
        // sent; only a refusal has surely changed nothing.
        if (answer !== null && answer.body.type !== "in_progress") {
            once = answer.body.once ?? Counter.token();
        }
        if (answer?.body.type === "locked") {
            Seller.ask();
        }
        if (["no_open_shift", "shift_closed", "which_till"].includes(answer?.body.type)) {
            Till.refresh();
        }
        asked.refused?.(answer);
        if (OVER.includes(answer?.body.type)) {
            sheet.close();
            Counter.toast(Counter.reason(answer), true);
            return;
        }
        Counter.trouble(trouble, Counter.reason(answer));
    }

    function tender(method, amount, more = {}) {
        return { method, amount: Counter.decimal(amount), ...more };
    }

    // --- in parts: several methods, a tip, another amount ---

    function left() {
        return asked.due - parts.reduce((sum, part) => sum + part.amount, 0);
    }

    function showParts() {
        partsBox.replaceChildren(...parts.map((part, place) => {
            const notesOfPart = [
                part.tip ? text("tip_of", { amount: money(part.tip) }) : "",
                part.given ? text("given", { amount: money(part.given) }) : "",
                part.given ? text("with_change", { amount: money(part.given - part.amount - part.tip) }) : "",
            ].filter(Boolean).join(", ");
            const remove = element("button", { type: "button", class: "round", "aria-label": text("remove") }, "×");
            remove.addEventListener("click", () => {
                parts.splice(place, 1);
                showParts();
            });
            const words = element("span", {}, text(part.method), " ", element("b", {}, money(part.amount)));
            if (notesOfPart) {
                words.append(element("small", {}, notesOfPart));
            }
            return element("li", {}, words, remove);
        }));
        const rest = left();
        fields.amount.value = rest > 0 ? Counter.decimal(rest) : "";
        fields.tip.value = "";
        fields.given.value = "";
        done.disabled = rest !== 0 && !(asked.takesLess && parts.length);
        done.textContent = rest > 0 ? text("still", { amount: money(rest) }) : text("take");
        slow.querySelectorAll("[data-part]").forEach((button) => { button.disabled = rest <= 0; });
    }

    function addPart(method) {
        const amount = Counter.readAmount(fields.amount.value);
        const tip = fields.tip.value.trim() ? Counter.readAmount(fields.tip.value) : 0;
        const given = method === "cash" && fields.given.value.trim() ? Counter.readAmount(fields.given.value) : 0;
        if (!amount || tip === null || given === null) {
            Counter.trouble(trouble, text("bad_amount"));
        } else if (amount > left()) {
            Counter.trouble(trouble, text("too_much"));
        } else if (given && given < amount + tip) {
            Counter.trouble(trouble, text("not_enough"));
        } else {
            Counter.trouble(trouble, "");
            parts.push({ method, amount, tip, given });
            showParts();
        }
    }

    quick.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (button?.dataset.pays) {
            send([tender(button.dataset.pays, asked.due)]);
        } else if (button?.dataset.cash) {
            send([tender("cash", asked.due, { tendered: Counter.decimal(Number(button.dataset.cash)) })]);
        }
    });
    slow.querySelectorAll("[data-part]").forEach((button) => {
        button.addEventListener("click", () => addPart(button.dataset.part));
    });
    document.getElementById("pay-more").addEventListener("click", () => showQuick(false));
    document.getElementById("pay-back").addEventListener("click", () => {
        parts = [];
        Counter.trouble(trouble, "");
        showQuick(true);
    });
    later.addEventListener("click", () => send([]));
    done.addEventListener("click", () => send(parts.map((part) => tender(part.method, part.amount, {
        tip: Counter.decimal(part.tip),
        ...(part.given ? { tendered: Counter.decimal(part.given) } : {}),
    }))));

    return { open };
})();
