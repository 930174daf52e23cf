// A product's page: cost and margin follow what is typed into the recipe and the price, before anything is saved.
"use strict";

(() => {
    const data = JSON.parse(document.getElementById("costing-data").textContent);
    const costs = Costing.readCosts(data.costs);
    const groups = Costing.readGroups(data.groups);
    const NOTHING = "—";
    const PRICE_DECIMALS = 2;
    const QUANTITY_DECIMALS = 3;

    // --- what is typed ---

    // As the server's form reads it; null for what it would refuse.
    function typed(text, decimals) {
        const number = Exact.of(text.replace(/\s/g, "").replace(/^(-?\d*),(\d{1,2})$/, "$1.$2"));
        return number && number.decimals <= decimals && Exact.sign(number) >= 0 ? number : null;
    }

    function price() {
        const field = document.getElementById("id_price");
        return field ? typed(field.value, PRICE_DECIMALS) : Exact.of(data.price);
    }

    // The lines of the form that are not taken out, with the places where their costs are written.
    function lines() {
        const selects = document.querySelectorAll("select[name^='recipe_lines-'][name$='-ingredient']");
        return [...selects].filter((select) => !select.name.includes("__prefix__")).map((select) => {
            const field = (name) => document.getElementsByName(select.name.replace(/ingredient$/, name))[0];
            const quantity = typed(field("quantity").value, QUANTITY_DECIMALS);
            return {
                ingredient: Number(select.value),
                quantity: quantity && Exact.sign(quantity) ? quantity : null,
                scales: field("scales").checked,
                isOut: Boolean(field("DELETE")?.checked) || !select.value,
                place: select.closest("tr").querySelector("[data-line-cost]"),
            };
        });
    }

    // --- how it is written ---

    const put = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

    function readable(number, decimals) {
        const [whole, part = ""] = Exact.text(Exact.round(number, decimals)).replace("-", "").split(".");
        return [whole.replace(/\B(?=(\d{3})+$)/g, data.money.thousand_separator), part];
    }

    const rounded = (amount) => Exact.round(amount, data.money.decimals);

    // ฿1,234.50; without decimals if it is whole.
    function money(amount) {
        const [whole, part] = readable(amount, data.money.decimals);
        const minus = Exact.sign(rounded(amount)) < 0 ? "−" : "";
        const decimals = /[1-9]/.test(part) ? `${data.money.decimal_separator}${part.padEnd(2, "0").slice(0, data.money.decimals)}` : "";
        return `${minus}${data.money.before}${whole}${decimals}${data.money.after}`;
    }

    function signedMoney(amount) {
        const sign = Exact.sign(rounded(amount));
        return sign === 0 ? NOTHING : `${sign > 0 ? "+" : ""}${money(amount)}`;
    }

    function percent(share) {
        if (share === null) {
            return NOTHING;
        }
        const [whole, part] = readable(share, 1);
        const minus = Exact.sign(share) < 0 ? "−" : "";
        return `${minus}${whole}${part === "0" ? "" : `${data.money.decimal_separator}${part}`}\u00a0%`;
    }

    const atLeast = (text, cost) => (cost.unknown.length && text !== NOTHING ? put(data.texts.at_least, { amount: text }) : text);
    const atMost = (text, cost) => (cost.unknown.length && text !== NOTHING ? put(data.texts.at_most, { amount: text }) : text);

    function texts(figures) {
        const { cost, foodCost, marginPercent } = figures;
        const shown = { price: money(figures.price), margin: NOTHING, margin_percent: NOTHING, food_cost: NOTHING };
        if (!Exact.sign(cost.amount)) {
            return { ...shown, cost: cost.unknown.length ? data.texts.not_known : NOTHING };
        }
        const margin = Exact.less(rounded(figures.price), rounded(cost.amount));
        return {
            price: shown.price,
            cost: atLeast(money(cost.amount), cost),
            margin: atMost(money(margin), cost),
            margin_percent: atMost(percent(marginPercent), cost),
            food_cost: atLeast(percent(foodCost), cost),
            isLoss: Exact.sign(margin) < 0,
        };
    }

    function writeRow(key, shown) {
        for (const cell of document.querySelectorAll(`[data-figures="${key}"] [data-cell]`)) {
            cell.textContent = shown ? shown[cell.dataset.cell] : NOTHING;
            if (cell.dataset.cell === "margin") {
                cell.classList.toggle("sv-level-low", Boolean(shown?.isLoss));
            }
        }
    }

    function writeUnknown(card, ingredients) {
        const place = document.querySelector(`#${card} [data-unknown]`);
        if (place) {
            const names = [...new Set(ingredients)].map((id) => data.names[id] || String(id)).sort();
            place.hidden = !names.length;
            place.textContent = put(data.texts.unknown, { names: names.join(", ") });
        }
    }

    // What cannot be read has no cost, and then nothing has.
    function writeLines(all) {
        for (const line of all) {
            const cost = costs.get(line.ingredient);
            if (line.place) {
                line.place.textContent =
                    line.isOut || !line.quantity ? "" : cost ? money(Exact.times(line.quantity, cost)) : data.texts.not_known;
            }
        }
    }

    function write() {
        const all = lines();
        writeLines(all);
        const isTyped = document.querySelector("[name='recipe_lines-TOTAL_FORMS']") !== null;
        const recipe = isTyped ? all.filter((line) => !line.isOut) : Costing.readRecipe(data.recipe);
        const product = { price: price(), recipe, groups };
        if (!product.price || recipe.some((line) => !line.quantity)) {
            document.querySelectorAll("[data-figures]").forEach((row) => writeRow(row.dataset.figures, null));
            return;
        }
        const plain = Costing.recipeFigures(product, costs);
        const usual = Costing.usualFigures(product, costs);
        const options = Costing.optionFigures(product, costs);
        writeRow("recipe", texts(plain));
        writeRow("usual", texts(usual));
        for (const { option, change, figures } of options) {
            const cost_change = change.unknown.length ? data.texts.not_known : signedMoney(change.amount);
            writeRow(`option-${option.id}`, { ...texts(figures), cost_change });
        }
        const hasUsual = document.querySelector("[data-figures=usual]");
        writeUnknown("product-costs", [...plain.cost.unknown, ...(hasUsual ? usual.cost.unknown : [])]);
        writeUnknown("option-costs", options.flatMap(({ figures }) => figures.cost.unknown));
    }

    for (const event of ["input", "change", "formset:added", "formset:removed"]) {
        document.addEventListener(event, write);
    }
    // A field that the browser filled in by itself, coming back to the page, is read too.
    window.addEventListener("pageshow", write);
    write();
})();
