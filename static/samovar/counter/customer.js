// The counter: whose order it is, found by phone or name, and their points.
"use strict";

const Customer = (() => {
    const { data, may, element, text, money, hundredths } = Counter;
    const box = document.getElementById("customer");
    if (!box) {
        return { chosen: () => null, points: () => 0, clear: () => {}, start: () => {} };
    }
    const search = document.getElementById("customer-search");
    const found = document.getElementById("customer-found");
    const chosenBox = document.getElementById("customer-chosen");
    const points = document.getElementById("use-points");
    let chosen = null;
    let asked = 0;
    let onChange = () => {};

    function show() {
        search.hidden = Boolean(chosen);
        chosenBox.hidden = !chosen;
        found.hidden = true;
        points.hidden = !chosen || !chosen.points || data.point_value === null;
        if (chosen) {
            chosenBox.querySelector("b").textContent = chosen.name;
            chosenBox.querySelector("small").textContent =
                [chosen.phone, data.point_value === null ? "" : text("customer_points", { points: chosen.points })].filter(Boolean).join(" · ");
            points.querySelector("span").textContent = text("use_points", {
                points: chosen.points, amount: money(chosen.points * hundredths(data.point_value ?? "0")),
            });
        }
    }

    function choose(customer) {
        chosen = customer;
        points.querySelector("input").checked = false;
        search.value = "";
        show();
        onChange();
    }

    // Who is not known yet is written down by their phone; their name can wait.
    function nobody(words) {
        if (!may.add_customers || words.replace(/\D/g, "").length < 6) {
            return element("li", { class: "empty" }, text("nobody"));
        }
        const button = element("button", { type: "button" }, text("add_customer", { phone: words }));
        button.addEventListener("click", async () => {
            const answer = await Counter.send(data.urls.customers, { phone: words });
            if (answer?.ok) {
                choose(answer.body);
            } else {
                Counter.toast(Counter.reason(answer), true);
            }
        });
        return element("li", {}, button);
    }

    const look = Counter.debounced(async () => {
        const words = search.value.trim();
        const turn = ++asked;
        if (words.length < 2) {
            found.hidden = true;
            return;
        }
        const answer = await Counter.send(`${data.urls.customers}?${new URLSearchParams({ q: words })}`);
        if (turn !== asked || !answer?.ok) {
            return;
        }
        const people = answer.body.customers.map((customer) => {
            const button = element(
                "button", { type: "button" },
                element("b", {}, customer.name), element("small", {}, customer.phone),
            );
            button.addEventListener("click", () => choose(customer));
            return element("li", {}, button);
        });
        found.replaceChildren(...(people.length ? people : [nobody(words)]));
        found.hidden = false;
    }, 250);

    search.addEventListener("input", look);
    search.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
            event.preventDefault();
            found.querySelector("button")?.click();
        } else if (event.key === "Escape") {
            found.hidden = true;
        }
    });
    chosenBox.querySelector("button").addEventListener("click", () => choose(null));
    points.querySelector("input").addEventListener("change", () => onChange());

    return {
        chosen: () => chosen?.id ?? null,
        // All that are there: the price takes no more of them than the order costs.
        points: () => (chosen && !points.hidden && points.querySelector("input").checked ? chosen.points : 0),
        clear: () => {
            chosen = null;
            search.value = "";
            show();
        },
        start: (change) => { onChange = change; },
    };
})();
