// New order: the menu. Tabs of categories, a search, and tiles that can be pressed.
"use strict";

const Menu = (() => {
    const grid = document.getElementById("pos-grid");
    const tabs = document.getElementById("pos-tabs");
    const search = document.getElementById("pos-search");
    let category = null;
    let onPick = () => {};
    let countOf = () => 0;
    let ignoresMinimum = () => false;

    // A colour of its own for each category, in the order of the golden angle.
    function hueOf(id) {
        return Math.round((id * 137.5) % 360);
    }

    function initials(name) {
        return name.split(/\s+/).slice(0, 2).map((word) => word[0]).join("").toUpperCase();
    }

    function whyNot(product) {
        if (product.is_available) {
            return "";
        }
        if (!product.is_listed) {
            return Shop.text("off_menu");
        }
        return product.lacking.length
            ? Shop.text("short_of", { names: product.lacking.join(", ") })
            : Shop.text("not_available");
    }

    function canPick(product) {
        return product.is_available || (product.is_listed && ignoresMinimum());
    }

    function wanted() {
        const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
        // What stands on no shelf, such as products of imported sales, is only found by its name.
        const shelves = category === null ? Shop.menu.categories.map((one) => one.id) : [category];
        return Shop.menu.products.filter((product) => {
            const name = product.name.toLowerCase();
            const here = words.length || shelves.includes(product.category);
            return here && words.every((word) => name.includes(word));
        });
    }

    function tile(product) {
        const reason = whyNot(product);
        const button = Shop.element("button", {
            type: "button",
            class: "pos-tile",
            disabled: !canPick(product),
            "data-product": String(product.id),
        });
        button.classList.toggle("pos-tile-out", Boolean(reason));
        button.style.setProperty("--hue", hueOf(product.category));
        const picture = Shop.element("span", { class: "pos-picture" });
        if (product.image) {
            picture.append(Shop.element("img", { src: product.image, alt: "", loading: "lazy" }));
        } else {
            picture.append(initials(product.name));
        }
        button.append(picture, Shop.element("span", { class: "pos-tile-name" }, product.name));
        button.append(
            reason
                ? Shop.element("span", { class: "pos-tile-why", title: reason }, reason)
                : Shop.element("span", { class: "pos-tile-price" }, Shop.money(Shop.hundredths(product.price))),
        );
        const count = countOf(product);
        if (count) {
            button.append(Shop.element("span", { class: "pos-tile-count" }, String(count)));
        }
        return button;
    }

    function showTabs() {
        const all = [{ id: null, name: Shop.text("all") }, ...Shop.menu.categories];
        tabs.replaceChildren(...all.map((one) => {
            const tab = Shop.element("button", { type: "button", class: "pos-tab" }, one.name);
            tab.setAttribute("aria-pressed", String(one.id === category));
            tab.addEventListener("click", () => {
                category = one.id;
                search.value = "";
                show();
            });
            return tab;
        }));
    }

    function show() {
        showTabs();
        const products = wanted();
        grid.replaceChildren(...products.map(tile));
        if (!products.length) {
            grid.append(Shop.element("p", { class: "ord-empty" }, Shop.text("untitled")));
        }
    }

    // Keeps the focus where it is: only numbers and availability change.
    function refresh() {
        const focused = grid.contains(document.activeElement) ? document.activeElement.dataset.product : null;
        const scrolled = grid.scrollTop;
        show();
        grid.scrollTop = scrolled;
        if (focused) {
            grid.querySelector(`[data-product="${focused}"]`)?.focus({ preventScroll: true });
        }
    }

    function move(event) {
        const tiles = [...grid.querySelectorAll(".pos-tile")];
        const place = tiles.indexOf(document.activeElement);
        if (place < 0) {
            return;
        }
        const columns = tiles.filter((one) => one.offsetTop === tiles[0].offsetTop).length;
        const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
        if (!(event.key in steps)) {
            return;
        }
        event.preventDefault();
        const step = steps[event.key];
        for (let next = place + step; next >= 0 && next < tiles.length; next += step) {
            if (!tiles[next].disabled) {
                tiles[next].focus();
                return;
            }
        }
        if (event.key === "ArrowUp") {
            search.focus();
        }
    }

    grid.addEventListener("click", (event) => {
        const button = event.target.closest(".pos-tile");
        if (button && !button.disabled) {
            onPick(Shop.products.get(Number(button.dataset.product)));
        }
    });
    grid.addEventListener("keydown", move);
    search.addEventListener("input", show);
    search.addEventListener("keydown", (event) => {
        const first = grid.querySelector(".pos-tile:not(:disabled)");
        if (event.key === "Enter" && first) {
            event.preventDefault();
            first.click();
        } else if (event.key === "ArrowDown" && first) {
            event.preventDefault();
            first.focus();
        } else if (event.key === "Escape" && search.value) {
            event.preventDefault();
            search.value = "";
            show();
        }
    });
    document.addEventListener("keydown", (event) => {
        if (event.key === "/" && !event.target.closest("input, textarea, select, dialog")) {
            event.preventDefault();
            search.focus();
            search.select();
        }
    });

    return {
        show,
        refresh,
        focusSearch: () => search.focus(),
        start: (answers) => {
            ({ onPick, countOf, ignoresMinimum } = answers);
            show();
        },
    };
})();
