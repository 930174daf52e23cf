// A purchase order that is being written: what each line and all of it come to by the prices of the list.
"use strict";

(() => {
    const format = JSON.parse(document.getElementById("money-format").textContent);
    const total = document.querySelector("[data-order-total]");

    // What was typed, as the server reads it; NaN for what it would refuse.
    function number(text) {
        const bare = text.replace(/\s/g, "").replace(/^(-?\d*),(\d{1,2})$/, "$1.$2");
        return bare === "" ? NaN : Number(bare);
    }

    function money(value) {
        const [whole, part] = value.toFixed(format.decimals).split(".");
        const grouped = whole.replace(/\B(?=(\d{3})+$)/g, format.thousand_separator);
        const shown = part && Number(part) ? `${grouped}${format.decimal_separator}${part}` : grouped;
        return `${format.before}${shown}${format.after}`;
    }

    function write() {
        let sum = 0;
        for (const line of document.querySelectorAll("[data-line]:not([hidden])")) {
            const pack = line.querySelector("select[data-pack]");
            const packs = line.querySelector("[data-packs]");
            const field = line.querySelector("[data-price-field]");
            const listed = pack?.selectedOptions[0]?.dataset.price || "";
            if (field) {
                field.placeholder = listed;
            }
            const price = field && field.value ? number(field.value) : number(listed);
            const worth = packs ? number(packs.value) * price : NaN;
            sum += worth > 0 ? worth : 0;
        }
        total.hidden = !(sum > 0);
        total.querySelector("b").textContent = money(sum);
    }

    document.addEventListener("change", write);
    document.addEventListener("input", write);
    document.addEventListener("line:added", write);
    write();
})();
