// Counting with a phone in front of the shelf: every entry is saved as it is typed. What can't be sent waits, on this
// device, and is sent when the connection is back, with how long ago it was typed: the server sets it beside what the
// ledger said then, and not beside what has been sold since.
"use strict";

const page = document.querySelector("[data-counting]");
const form = page.querySelector("[data-entries]");
const trouble = page.querySelector("[data-trouble]");
const texts = JSON.parse(document.getElementById("counting-texts").textContent);
const lines = new Map([...form.querySelectorAll("[data-line]")].map((line) => [Number(line.dataset.line), line]));

const STORE = `samovar-count-${page.dataset.counting}`;
const PATIENCE = 15_000;
const WAITS = [2_000, 4_000, 8_000, 15_000, 30_000];

// {ingredient: {text, at}} of what is not saved yet.
const waiting = new Map();
let isSending = false;
let failures = 0;
let timer = 0;

// --- what waits, kept on this device ------------------------------------------------------------------

function keep() {
    try {
        if (waiting.size) {
            localStorage.setItem(STORE, JSON.stringify([...waiting]));
        } else {
            localStorage.removeItem(STORE);
        }
    } catch {
        // Without storage it waits in this tab only.
    }
}

function recall() {
    try {
        for (const [ingredient, entry] of JSON.parse(localStorage.getItem(STORE) || "[]")) {
            const line = lines.get(ingredient);
            if (line) {
                waiting.set(ingredient, entry);
                line.querySelector("input").value = entry.text;
                say(line, "waiting", texts.waiting);
            }
        }
    } catch {
        localStorage.removeItem(STORE);
    }
}

// --- what the page says -------------------------------------------------------------------------------

function say(line, state, text) {
    line.classList.toggle("cnt-done", state === "done");
    line.classList.toggle("cnt-wrong", state === "wrong");
    line.classList.toggle("cnt-waiting", state === "waiting");
    line.querySelector("[data-state]").textContent = text;
}

function complain(text) {
    trouble.hidden = !text;
    trouble.textContent = text;
}

function tellLeft(left) {
    page.querySelector("[data-left]").textContent = left;
    const meter = page.querySelector("[data-meter]");
    meter.value = meter.max - left;
}

// --- sending ------------------------------------------------------------------------------------------

class Unreachable extends Error {}

async function send(ingredient, entry) {
    const answer = await fetch(location.pathname, {
        method: "POST",
        headers: {
            "Content-Type": "application/json",
            "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value,
        },
        body: JSON.stringify({ ingredient, text: entry.text, age: Math.max(0, (Date.now() - entry.at) / 1000) }),
        redirect: "manual",
        signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.type === "opaqueredirect" || answer.status === 403) {
        throw new Unreachable(texts.signed_out);
    }
    if (answer.status >= 500 || answer.status === 429 || !answer.headers.get("Content-Type")?.includes("json")) {
        throw new Unreachable(texts.offline);
    }
    return { isSaved: answer.ok, ...(await answer.json()) };
}

async function flush() {
    clearTimeout(timer);
    if (isSending) {
        return;
    }
    isSending = true;
    try {
        while (waiting.size) {
            const [ingredient, entry] = waiting.entries().next().value;
            const line = lines.get(ingredient);
            const answer = await send(ingredient, entry);
            failures = 0;
            complain("");
            if (waiting.get(ingredient) === entry) {
                waiting.delete(ingredient);
                show(line, answer);
            }
            keep();
            if (answer.url) {
                location.assign(answer.url); // finished or cancelled by somebody else; its page says so
                return;
            }
        }
    } catch (error) {
        const text = error instanceof Unreachable ? error.message : texts.offline;
        complain(`${text} ${waiting.size}`);
        for (const ingredient of waiting.keys()) {
            say(lines.get(ingredient), "waiting", texts.waiting);
        }
        timer = setTimeout(flush, WAITS[Math.min(failures, WAITS.length - 1)]);
        failures += 1;
    } finally {
        isSending = false;
    }
}

function show(line, answer) {
    const input = line.querySelector("input");
    if (!answer.isSaved) {
        say(line, "wrong", answer.error);
        return;
    }
    say(line, answer.shown ? "done" : "", answer.shown);
    input.value = answer.text;
    resetUnit(line);
    tellLeft(answer.left);
    narrow();
}

// --- units: what is typed may be meant in the larger one ------------------------------------------------

function offerUnits(line) {
    const shown = line.querySelector("[data-units]");
    const units = shown.dataset.units.split(" ");
    if (units.length < 2) {
        return;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cnt-unit cnt-unit-switch";
    button.textContent = units[0];
    button.dataset.units = shown.dataset.units;
    button.addEventListener("click", () => {
        button.textContent = units[(units.indexOf(button.textContent) + 1) % units.length];
        if (line.querySelector("input").value.trim()) {
            enter(line);
        } else {
            line.querySelector("input").focus();
        }
    });
    shown.replaceWith(button);
}

function resetUnit(line) {
    const button = line.querySelector(".cnt-unit-switch");
    if (button) {
        button.textContent = button.dataset.units.split(" ")[0];
    }
}

function typed(line) {
    const text = line.querySelector("input").value.trim();
    const unit = line.querySelector(".cnt-unit-switch")?.textContent;
    return text && unit && !/[^\d\s.,-]/.test(text) ? `${text} ${unit}` : text;
}

// --- typing -------------------------------------------------------------------------------------------

function enter(line) {
    waiting.delete(Number(line.dataset.line)); // the newest entry goes last
    waiting.set(Number(line.dataset.line), { text: typed(line), at: Date.now() });
    keep();
    say(line, "waiting", texts.saving);
    flush();
}

form.addEventListener("change", (event) => enter(event.target.closest("[data-line]")));
form.addEventListener("focusin", (event) => {
    if (event.target.matches(".cnt-entry input")) {
        event.target.select();
    }
});
form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".cnt-entry input")) {
        return;
    }
    event.preventDefault(); // the next line, and not the whole form
    const inputs = [...form.querySelectorAll(".cnt-line:not([hidden]) .cnt-entry input")];
    const next = inputs[inputs.indexOf(event.target) + 1];
    (next || page.querySelector("[data-finds]")).focus();
});

// --- finding ------------------------------------------------------------------------------------------

const finds = page.querySelector("[data-finds]");
const onlyLeft = page.querySelector("[data-only-left]");

function narrow() {
    const words = finds.value.toLocaleLowerCase().trim().split(/\s+/);
    let shown = 0;
    for (const line of lines.values()) {
        const isLeft = !line.classList.contains("cnt-done") || line.contains(document.activeElement);
        line.hidden = !words.every((word) => line.dataset.name.includes(word)) || (onlyLeft.checked && !isLeft);
        shown += line.hidden ? 0 : 1;
    }
    for (const section of form.querySelectorAll("[data-section]")) {
        let next = section.nextElementSibling;
        while (next && next.hidden && next.matches("[data-line]")) {
            next = next.nextElementSibling;
        }
        section.hidden = !next || !next.matches("[data-line]");
    }
    page.querySelector("[data-nothing]").hidden = shown > 0;
}

finds.addEventListener("input", narrow);
onlyLeft.addEventListener("change", narrow);

// --- beginning and ending -------------------------------------------------------------------------------

page.querySelector("[data-finishes]").addEventListener("click", (event) => {
    if (waiting.size) {
        event.preventDefault();
        complain(`${texts.unsaved} ${waiting.size}`);
        flush();
    }
});
window.addEventListener("online", flush);
document.addEventListener("visibilitychange", () => document.hidden || flush());

page.querySelectorAll("[data-needs-script]").forEach((element) => { element.hidden = false; });
page.querySelectorAll("[data-needs-no-script]").forEach((element) => { element.hidden = true; });
lines.forEach(offerUnits);
tellLeft(Number(page.querySelector("[data-left]").textContent));
recall();
if (waiting.size) {
    flush();
}
