// Shows what so many batches take, what is missing of it, and what the recipe promises.
"use strict";

(() => {
    const script = document.currentScript;
    const form = document.getElementById("page-form");
    const { recipes, there, left } = JSON.parse(document.getElementById("preparations").textContent);
    const takes = form.querySelector("[data-takes]");
    const place = form.elements.location;
    const language = document.documentElement.lang || "en";

    const shown = (quantity, unit) =>
        `${(Math.round(quantity * 1000) / 1000).toLocaleString(language, { maximumFractionDigits: 3 })}\u00a0${unit}`;

    // "0,5" as people type it; anything else than a number above 0 shows nothing.
    const typed = (field) => {
        const number = Number(field.value.replace(/\s/g, "").replace(",", "."));
        return Number.isFinite(number) && number > 0 ? number : 0;
    };

    const line = (part, batches, here) => {
        const needed = Math.round(part.quantity * batches * 1000) / 1000;
        const missing = Math.round((needed - (here[part.id] || 0)) * 1000) / 1000;
        const item = document.createElement("li");
        const name = document.createElement("span");
        name.textContent = part.name;
        const stock = document.createElement("span");
        stock.className = missing > 0 ? "sv-badge sv-badge-bad" : "sv-there";
        stock.textContent =
            missing > 0
                ? `${script.dataset.missing} ${shown(missing, part.unit)}`
                : `${script.dataset.there} ${shown(here[part.id] || 0, part.unit)}`;
        const amount = document.createElement("span");
        amount.className = "sv-amount";
        amount.textContent = shown(needed, part.unit);
        item.append(name, stock, amount);
        return item;
    };

    const show = () => {
        const here = place ? place.value : script.dataset.onlyPlace;
        for (const text of form.querySelectorAll("[data-left]")) {
            if (left[here]) text.textContent = left[here][text.dataset.left];
        }
        const chosen = form.querySelector("input[name=ingredient]:checked");
        for (const how of form.querySelectorAll("[data-instructions]")) {
            how.hidden = !chosen || how.dataset.instructions !== chosen.value;
        }
        const recipe = chosen && recipes[chosen.value];
        const batches = typed(form.elements.batches);
        takes.hidden = !recipe || !batches;
        form.elements.quantity.placeholder = recipe && batches ? shown(recipe.yield * batches, recipe.unit) : "";
        form.elements.expires_at.disabled = Boolean(recipe && !recipe.dates);
        if (takes.hidden) return;
        const list = takes.querySelector("ul");
        list.replaceChildren(...recipe.lines.map((part) => line(part, batches, there[here] || {})));
    };

    form.addEventListener("input", show);
    form.addEventListener("change", show);
    show();
})();
