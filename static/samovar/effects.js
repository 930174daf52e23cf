// The effects of an option: only the fields that count for the chosen kind are shown.
"use strict";

(() => {
    const COUNT = {
        replace: ["ingredient", "replacement"],
        scale: ["ingredient", "factor"],
        add: ["ingredient", "quantity"],
    };

    function show(select) {
        const row = select.closest("tr");
        const wanted = COUNT[select.value] || [];
        for (const name of ["ingredient", "replacement", "factor", "quantity"]) {
            const cell = row.querySelector(`.field-${name}`);
            cell?.classList.toggle("sv-no-field", !wanted.includes(name));
        }
    }

    const showAll = (root) => root.querySelectorAll("select[name^='effects-'][name$='-kind']").forEach((select) => {
        if (!/__prefix__/.test(select.name)) {
            show(select);
        }
    });

    document.addEventListener("change", (event) => {
        if (event.target.matches("select[name^='effects-'][name$='-kind']")) {
            show(event.target);
        }
    });
    document.addEventListener("formset:added", (event) => showAll(event.target));
    document.addEventListener("DOMContentLoaded", () => showAll(document));
})();
