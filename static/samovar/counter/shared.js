// The counter: what its scripts share: the data of the page, money, words, and asking the server.
"use strict";

const Counter = (() => {
    const data = JSON.parse(document.getElementById("counter-data").textContent);
    const banner = document.getElementById("banner");
    const toastBox = document.getElementById("toast");
    const PATIENCE = 12000;
    const handlers = {};
    let toastTimer;

    // The cookie and not the page: signing in again in another tab gives a new one.
    const csrf = () =>
        /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1]
        ?? document.querySelector("input[name=csrfmiddlewaretoken]").value;

    const counter = { data, may: data.may, location: data.location };

    // --- what happens, said to whoever listens ---

    counter.on = (name, handler) => (handlers[name] ??= []).push(handler);
    counter.tell = (name, value) => (handlers[name] ?? []).forEach((handler) => handler(value));

    // --- money, counted in hundredths; the server's strings always have two decimals ---

    counter.hundredths = (text) => Math.round(Number(text) * 100);
    counter.decimal = (hundredths) => (hundredths / 100).toFixed(2);
    counter.money = (hundredths) => {
        const { before, after, decimals, decimal_separator, thousand_separator } = data.money;
        const rounded = decimals === 0 ? Math.round(hundredths / 100) * 100 : hundredths;
        const [whole, rest] = (Math.abs(rounded) / 100).toFixed(2).split(".");
        const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thousand_separator);
        const part = rest === "00" ? "" : decimal_separator + rest.slice(0, decimals);
        return `${rounded < 0 ? "−" : ""}${before}${grouped}${part}${after}`;
    };
    // What somebody has typed: 60, 60.5, 60,50. Null for what is no amount.
    counter.readAmount = (text) => {
        const plain = text.trim().replace(/[\s ]/g, "").replace(",", ".");
        return /^\d{1,8}(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : null;
    };

    counter.text = (name, values = {}) => data.texts[name].replace(/\{(\w+)\}/g, (_all, key) => values[key]);
    counter.token = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    counter.orderUrl = (name, id) => data.order_urls[name].replace("/orders/0/", `/orders/${id}/`);

    // --- the page ---

    counter.element = (tag, attributes = {}, ...children) => {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) {
            if (name in element && typeof value !== "string") {
                element[name] = value;
            } else {
                element.setAttribute(name, value);
            }
        }
        element.append(...children);
        return element;
    };

    counter.toast = (text, isBad = false) => {
        if (!text) {
            return;
        }
        clearTimeout(toastTimer);
        toastBox.textContent = text;
        toastBox.classList.toggle("bad", isBad);
        toastBox.hidden = false;
        toastTimer = setTimeout(() => { toastBox.hidden = true; }, isBad ? 6000 : 3000);
    };

    counter.trouble = (box, text) => {
        box.textContent = text;
        box.hidden = !text;
    };

    counter.debounced = (work, wait) => {
        let timer;
        return (...args) => {
            clearTimeout(timer);
            timer = setTimeout(() => work(...args), wait);
        };
    };

    document.querySelectorAll("dialog").forEach((dialog) => {
        dialog.addEventListener("click", (event) => {
            if (event.target === dialog || event.target.closest("[data-close]")) {
                dialog.close();
            }
        });
    });

    // --- the network ---

    let state = "here";

    // "here", "away" (nobody answers) or "out" (signed out): what the banner says.
    function be(next) {
        if (next === state) {
            return;
        }
        const wasAway = state === "away";
        state = next;
        banner.hidden = next === "here";
        if (next === "away") {
            banner.textContent = counter.text("offline");
        } else if (next === "out") {
            const link = counter.element("a", { href: data.urls.sign_in }, counter.text("sign_in"));
            banner.replaceChildren(counter.text("signed_out"), " ", link);
        }
        if (wasAway && next === "here") {
            counter.tell("back");
        }
    }

    window.addEventListener("offline", () => be("away"));

    // Answers {ok, status, body}; throws only if nobody answered: whether anything was saved is then not known.
    counter.ask = async (url, body, headers = {}) => {
        const request = { headers: { ...headers }, redirect: "error", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
        if (body !== undefined) {
            request.method = "POST";
            request.body = JSON.stringify(body);
            Object.assign(request.headers, { "Content-Type": "application/json", "X-CSRFToken": csrf() });
        }
        let answer;
        try {
            answer = await fetch(url, request);
        } catch (error) {
            be("away");
            throw error;
        }
        be(answer.status === 401 ? "out" : "here");
        if (answer.status === 304) {
            return { ok: true, status: 304, body: null, etag: null };
        }
        let content = null;
        try {
            content = await answer.json();
        } catch {
            content = { detail: counter.text("reload") };
        }
        return { ok: answer.ok, status: answer.status, body: content, etag: answer.headers.get("ETag") };
    };

    // The same for what is tapped: what nobody answered is said so, and nothing is thrown. Null then.
    counter.send = async (url, body) => {
        try {
            return await counter.ask(url, body);
        } catch {
            return null;
        }
    };

    counter.reason = (answer) => (answer === null ? counter.text("not_saved") : answer.body.detail);

    return counter;
})();
