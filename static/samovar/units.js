// Writes the unit of the chosen ingredient beside the quantity of the same row, in recipes and in effects.
"use strict";

(() => {
    const ROW = "tr, [data-line], .inline-related";

    function write(select) {
        const row = select.closest(ROW);
        const quantity = row && row.querySelector("input[name$='-quantity']");
        if (!quantity || /-replacement$/.test(select.name)) {
            return;
        }
        let unit = row.querySelector(".sv-unit");
        if (!unit) {
            unit = document.createElement("span");
            unit.className = "sv-unit";
            const holder = document.createElement("span");
            holder.className = "sv-with-unit";
            quantity.before(holder);
            holder.append(quantity, unit);
        }
        const option = select.selectedOptions[0];
        unit.textContent = (option && option.dataset.unit) || "";
    }

    const writeAll = (root) => root.querySelectorAll("select[data-ingredient]").forEach((select) => {
        if (!/__prefix__/.test(select.name)) {
            write(select);
        }
    });

    document.addEventListener("change", (event) => {
        if (event.target.matches("select[data-ingredient]")) {
            write(event.target);
        }
    });
    document.addEventListener("formset:added", (event) => writeAll(event.target));
    document.addEventListener("line:added", (event) => writeAll(event.target));
    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", () => writeAll(document));
    } else {
        writeAll(document);
    }
})();
