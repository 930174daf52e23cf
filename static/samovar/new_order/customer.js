// New order: who it is for. Found while somebody types, or written down anew.
"use strict";

const Buyer = (() => {
    const box = document.getElementById("pos-customer");
    const nobody = { id: () => null, clear: () => {}, chosen: () => null, choose: () => {} };
    if (!box) {
        return nobody;
    }
    const input = document.getElementById("pos-customer-search");
    const list = document.getElementById("pos-customer-list");
    const chip = box.querySelector(".pos-chosen");
    const dialog = document.getElementById("pos-new-customer");
    let chosen = null;
    let asking = null;
    let onChange = () => {};

    function show() {
        chip.hidden = chosen === null;
        input.hidden = chosen !== null;
        if (chosen) {
            chip.querySelector("b").textContent = chosen.name;
            const contact = chosen.phone || chosen.email;
            const points = chosen.points ? Shop.text("has_points", { points: chosen.points }) : "";
            chip.querySelector("small").textContent = [contact, points].filter(Boolean).join(" · ");
        }
    }

    function choose(customer) {
        chosen = customer;
        input.value = "";
        close();
        show();
        onChange();
    }

    function close() {
        list.hidden = true;
        input.setAttribute("aria-expanded", "false");
    }

    function option(label, detail, work) {
        const item = Shop.element("li", { role: "option", tabindex: "-1" }, Shop.element("b", {}, label));
        if (detail) {
            item.append(Shop.element("small", {}, detail));
        }
        item.addEventListener("mousedown", (event) => event.preventDefault());
        item.addEventListener("click", work);
        return item;
    }

    function open(customers, text) {
        const rows = customers.map((one) => option(one.name, one.phone || one.email, () => choose(one)));
        if (!rows.length) {
            rows.push(Shop.element("li", { class: "ord-quiet" }, Shop.text("nobody")));
        }
        if (box.dataset.adds) {
            rows.push(option(Shop.text("add_customer", { name: text }), "", () => writeDown(text)));
        }
        list.replaceChildren(...rows);
        list.hidden = false;
        input.setAttribute("aria-expanded", "true");
    }

    const find = Shop.debounced(async () => {
        const text = input.value.trim();
        asking?.abort();
        if (!text) {
            close();
            return;
        }
        asking = new AbortController();
        try {
            const url = `${Shop.data.urls.customers}?q=${encodeURIComponent(text)}`;
            const { ok, body } = await Shop.ask(url, undefined, asking.signal);
            if (ok && input.value.trim() === text) {
                open(body.customers, text);
            }
        } catch {
            // Stale or unreachable: the next letter asks again.
        }
    }, 200);

    function mark(step) {
        const rows = [...list.querySelectorAll("[role=option]")];
        const now = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
        rows.forEach((row) => row.removeAttribute("aria-selected"));
        const next = rows[(now + step + rows.length) % rows.length];
        next?.setAttribute("aria-selected", "true");
        next?.scrollIntoView({ block: "nearest" });
    }

    input.addEventListener("input", find);
    input.addEventListener("blur", () => setTimeout(close, 150));
    input.addEventListener("keydown", (event) => {
        if (list.hidden) {
            return;
        }
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            mark(event.key === "ArrowDown" ? 1 : -1);
        } else if (event.key === "Enter" && !event.ctrlKey) {
            event.preventDefault();
            (list.querySelector("[aria-selected=true]") || list.querySelector("[role=option]"))?.click();
        } else if (event.key === "Escape") {
            close();
        }
    });
    chip.querySelector("button").addEventListener("click", () => {
        choose(null);
        input.focus();
    });

    // --- a new one ---

    function writeDown(text) {
        close();
        const form = dialog.querySelector("form");
        form.reset();
        const isPhone = /^[\d\s+()-]{4,}$/.test(text);
        form.elements[isPhone ? "phone" : "name"].value = text;
        complain("");
        dialog.showModal();
        form.elements[isPhone ? "name" : "phone"].focus();
    }

    function complain(sentence) {
        const place = dialog.querySelector(".pos-trouble");
        place.hidden = !sentence;
        place.textContent = sentence;
    }

    if (dialog) {
        dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
        dialog.querySelector("form").addEventListener("submit", async (event) => {
            event.preventDefault();
            const button = dialog.querySelector("[type=submit]");
            const values = Object.fromEntries(new FormData(event.target));
            if (!values.name.trim()) {
                complain(Shop.text("name_needed"));
                return;
            }
            button.disabled = true;
            try {
                const { ok, body } = await Shop.ask(Shop.data.urls.customers, values);
                if (ok) {
                    dialog.close();
                    choose(body);
                } else {
                    complain(body.detail);
                }
            } catch {
                complain(Shop.text("unreachable"));
            } finally {
                button.disabled = false;
            }
        });
    }

    const given = document.getElementById("pos-customer-chosen");
    if (given) {
        chosen = JSON.parse(given.textContent);
    }
    show();

    return {
        id: () => (chosen ? chosen.id : null),
        chosen: () => chosen,
        choose,
        clear: () => choose(null),
        start: (answers) => {
            ({ onChange } = answers);
        },
    };
})();
