// New order: what its other scripts share: the menu, prices, texts, and asking the server.
"use strict";

const Shop = (() => {
    const data = JSON.parse(document.getElementById("new-order-data").textContent);
    // The cookie and not the page: signing in again in another tab, as the page advises, gives a new one.
    const csrf = () =>
        /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1]
        ?? document.querySelector("input[name=csrfmiddlewaretoken]").value;

    const shop = { data, location: data.location };

    shop.useMenu = (menu) => {
        shop.menu = menu;
        shop.products = new Map(menu.products.map((product) => [product.id, product]));
        shop.groupsOf = (product) => product.groups.map((id) => menu.groups[id]);
    };
    shop.useMenu(data.menu);

    // Money is counted in hundredths; the server's strings always have two decimals.
    shop.hundredths = (text) => Math.round(Number(text) * 100);

    shop.money = (hundredths) => {
        const { before, after, decimals, decimal_separator, thousand_separator } = data.money;
        const rounded = decimals === 0 ? Math.round(hundredths / 100) * 100 : hundredths;
        const [whole, rest] = (Math.abs(rounded) / 100).toFixed(2).split(".");
        const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thousand_separator);
        const part = rest === "00" ? "" : decimal_separator + rest.slice(0, decimals);
        return `${rounded < 0 ? "−" : ""}${before}${grouped}${part}${after}`;
    };

    shop.text = (name, values = {}) =>
        data.texts[name].replace(/\{(\w+)\}/g, (_all, key) => values[key]);

    // As orders/pricing.py does it: of each group the cheapest chosen options are free. The server has the last word.
    shop.unitPrice = (product, optionIds) => {
        let price = shop.hundredths(product.price);
        for (const group of shop.groupsOf(product)) {
            const deltas = group.options
                .filter((option) => optionIds.includes(option.id))
                .map((option) => shop.hundredths(option.price_delta));
            const costly = deltas.filter((delta) => delta > 0).sort((a, b) => a - b);
            price += deltas.reduce((sum, delta) => sum + delta, 0);
            price -= costly.slice(0, group.free).reduce((sum, delta) => sum + delta, 0);
        }
        return Math.max(price, 0);
    };

    shop.chosenOptions = (product, optionIds) =>
        shop.groupsOf(product).flatMap((group) => group.options.filter((option) => optionIds.includes(option.id)));

    // Answers {ok, body}; throws only if the server can't be reached or did not answer with JSON.
    shop.ask = async (url, body, signal) => {
        const request = body === undefined
            ? { signal }
            : {
                method: "POST",
                body: JSON.stringify(body),
                headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
                signal,
            };
        const answer = await fetch(url, { ...request, redirect: "error" });
        return { ok: answer.ok, body: await answer.json() };
    };

    shop.element = (tag, attributes = {}, ...children) => {
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

    shop.icon = (name) => shop.element("i", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);

    shop.debounced = (work, wait) => {
        let timer;
        return (...args) => {
            clearTimeout(timer);
            timer = setTimeout(() => work(...args), wait);
        };
    };

    return shop;
})();
