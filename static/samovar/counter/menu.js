// The counter: the menu. Categories, a search, and tiles; a tap sells a drink as it usually is.
"use strict";

const Menu = (() => {
    const { data, may, element, text, money, hundredths } = Counter;
    const EVERY = 60000;
    const tabs = document.getElementById("categories");
    const tiles = document.getElementById("tiles");
    const search = document.getElementById("search");
    let menu, products, category;
    let onPick = () => {};

    function use(fresh) {
        menu = fresh;
        products = new Map(menu.products.map((product) => [product.id, product]));
        if (!menu.categories.some((one) => one.id === category)) {
            category = menu.categories[0]?.id ?? null;
        }
    }

    const groupsOf = (product) => product.groups.map((id) => menu.groups[id]);
    const defaultsOf = (group) =>
        group.options.filter((option) => option.is_default && option.is_available).slice(0, group.max).map((option) => option.id);
    const usualOf = (product) => groupsOf(product).flatMap(defaultsOf);
    // A drink whose options must be chosen and have no default is asked about.
    const mustAsk = (product) => groupsOf(product).some((group) => defaultsOf(group).length < group.min);
    const optionsOf = (product, ids) =>
        groupsOf(product).flatMap((group) => group.options.filter((option) => ids.includes(option.id)));

    // As orders/pricing.py does it: of each group the cheapest chosen options are free. The server has the last word.
    function unitPrice(product, ids) {
        let price = hundredths(product.price);
        for (const group of groupsOf(product)) {
            const deltas = group.options.filter((option) => ids.includes(option.id)).map((option) => hundredths(option.price_delta));
            const costly = deltas.filter((delta) => delta > 0).sort((one, other) => one - other);
            price += deltas.reduce((sum, delta) => sum + delta, 0);
            price -= costly.slice(0, group.free).reduce((sum, delta) => sum + delta, 0);
        }
        return Math.max(price, 0);
    }

    // A colour of its own for each category, in the order of the golden angle.
    const hueOf = (id) => Math.round((id * 137.5) % 360);
    const whyNot = (product) => {
        if (product.is_available) {
            return "";
        }
        return product.lacking.length ? text("short_of", { names: product.lacking.join(", ") }) : text("not_available");
    };

    function wanted() {
        const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
        return menu.products.filter((product) => {
            const name = product.name.toLowerCase();
            const isHere = words.length ? words.every((word) => name.includes(word)) : product.category === category;
            return product.is_listed && isHere;
        });
    }

    function tile(product) {
        const reason = whyNot(product);
        const button = element("button", {
            type: "button", class: "tile", "data-product": String(product.id),
            disabled: Boolean(reason) && !may.sell_anyway && !may.sell_below_minimum,
        });
        button.style.setProperty("--hue", hueOf(product.category));
        button.classList.toggle("out", Boolean(reason));
        if (product.image) {
            button.append(element("img", { src: product.image, alt: "", loading: "lazy" }));
        }
        button.append(
            element("span", { class: "tile-name" }, product.name),
            reason
                ? element("span", { class: "tile-why", title: reason }, reason)
                : element("span", { class: "tile-price" }, money(hundredths(product.price))),
        );
        const place = element("div", { class: "tile-place" }, button);
        if (product.groups.length && !button.disabled) {
            place.append(element(
                "button",
                { type: "button", class: "tile-options", "data-options": String(product.id), "aria-label": text("options_of", { name: product.name }) },
                text("options"),
            ));
        }
        return place;
    }

    function show() {
        tabs.replaceChildren(...menu.categories.map((one) => {
            const tab = element("button", { type: "button", class: "category", "data-category": String(one.id) }, one.name);
            tab.style.setProperty("--hue", hueOf(one.id));
            tab.setAttribute("aria-pressed", String(one.id === category && !search.value));
            return tab;
        }));
        showTiles();
    }

    function showTiles() {
        const found = wanted();
        tiles.replaceChildren(...found.map(tile));
        if (!found.length) {
            tiles.append(element("p", { class: "empty" }, text("nothing_found")));
        }
    }

    // What is there now. Tiles keep their places: only their words change.
    async function refresh() {
        try {
            const answer = await Counter.ask(`${data.urls.menu}?location=${data.location}`);
            if (answer.ok) {
                const before = JSON.stringify(menu);
                if (JSON.stringify(answer.body) !== before) {
                    const scrolled = tiles.scrollTop;
                    use(answer.body);
                    show();
                    tiles.scrollTop = scrolled;
                }
            }
        } catch {
            // The banner says it.
        }
    }

    tabs.addEventListener("click", (event) => {
        const tab = event.target.closest("[data-category]");
        if (tab) {
            category = Number(tab.dataset.category);
            search.value = "";
            tiles.scrollTop = 0;
            show();
            tabs.querySelector("[aria-pressed=true]")?.focus({ preventScroll: true });
        }
    });
    tiles.addEventListener("click", (event) => {
        const asks = event.target.closest("[data-options]");
        const taps = event.target.closest("[data-product]");
        if (asks) {
            onPick(products.get(Number(asks.dataset.options)), true);
        } else if (taps && !taps.disabled) {
            const product = products.get(Number(taps.dataset.product));
            onPick(product, mustAsk(product));
        }
    });
    search.addEventListener("input", show);
    search.addEventListener("keydown", (event) => {
        const first = tiles.querySelector(".tile:not(:disabled)");
        if (event.key === "Enter" && first) {
            event.preventDefault();
            first.click();
        } else if (event.key === "Escape") {
            search.value = "";
            show();
        }
    });
    setInterval(() => {
        if (!document.hidden && document.body.dataset.view === "sell") {
            refresh();
        }
    }, EVERY);

    use(data.menu);
    show();

    return {
        groupsOf, defaultsOf, usualOf, optionsOf, unitPrice, refresh,
        product: (id) => products.get(id),
        start: (pick) => { onPick = pick; },
    };
})();
