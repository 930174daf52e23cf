// Receive, write off, transfer: says how much there is beside each line, and what a receipt costs.
"use strict";

(() => {
    const script = document.currentScript;
    const levels = JSON.parse(document.getElementById("stock-levels").textContent);
    const format = JSON.parse(document.getElementById("money-format").textContent);
    const total = document.querySelector("[data-total]");

    // What was typed, as the server reads it; NaN for what it would refuse.
    function number(text) {
        const bare = text.replace(/\s/g, "").replace(/^(-?\d*),(\d{1,2})$/, "$1.$2");
        return bare === "" ? NaN : Number(bare);
    }

    function readable(value, most) {
        const [whole, part] = value.toFixed(most).split(".");
        const decimals = (part || "").replace(/0+$/, "");
        const grouped = whole.replace(/\B(?=(\d{3})+$)/g, format.thousand_separator);
        return decimals ? `${grouped}${format.decimal_separator}${decimals}` : grouped;
    }

    const money = (value) => `${format.before}${readable(value, format.decimals)}${format.after}`;

    function place() {
        const field = document.querySelector("[name=location], [name=source]");
        return (field && field.value) || script.dataset.onlyPlace;
    }

    function hint(line, field, text) {
        let note = line.querySelector(`.sv-line-${field} .sv-line-hint`);
        if (!note) {
            note = document.createElement("small");
            note.className = "sv-line-hint";
            line.querySelector(`.sv-line-${field}`).append(note);
        }
        note.textContent = text;
    }

    // Of the two ways to say what a line costs the other one is worked out beside it; returns the line's worth.
    function writeCost(line, cost, paid, unit) {
        const quantity = number(line.querySelector("[data-quantity]").value);
        const byOne = quantity * number(cost.value);
        const inAll = number(paid.value);
        const one = inAll / quantity;
        hint(line, "unit_cost", one > 0 && Number.isFinite(one) ? `${format.before}${readable(one, 6)}${format.after} / ${unit}` : "");
        hint(line, "paid", byOne > 0 ? `= ${money(byOne)}` : "");
        cost.placeholder = unit ? `/ ${unit}` : "";
        return byOne > 0 ? byOne : inAll > 0 ? inAll : 0;
    }

    // Only the lots of the line's ingredient at this place are offered; without any there is nothing to choose.
    function offerLots(line, lot, key) {
        let offered = 0;
        for (const option of lot.options) {
            if (!option.value) continue;
            option.hidden = option.disabled = option.dataset.of !== key;
            offered += option.hidden ? 0 : 1;
        }
        if (lot.selectedOptions[0]?.hidden) lot.value = "";
        line.querySelector(".sv-line-lot").classList.toggle("sv-not-asked", !offered);
    }

    function write() {
        let sum = 0;
        for (const line of document.querySelectorAll("[data-line]:not([hidden])")) {
            const select = line.querySelector("select[data-ingredient]");
            const unit = select.selectedOptions[0]?.dataset.unit || "";
            const there = Number((levels[place()] || {})[select.value] || 0);
            hint(line, "quantity", select.value && place() ? `${script.dataset.there} ${readable(there, 3)} ${unit}` : "");
            const dated = select.selectedOptions[0]?.hasAttribute("data-dates") || false;
            for (const field of line.querySelectorAll(".sv-line-expires_on, .sv-line-lot_code")) {
                field.classList.toggle("sv-not-asked", !dated);
            }
            const lot = line.querySelector("[data-lot]");
            if (lot) offerLots(line, lot, `${place()}:${select.value}`);
            const cost = line.querySelector("[data-unit-cost]");
            if (cost) {
                sum += writeCost(line, cost, line.querySelector("[data-paid]"), unit);
            }
        }
        total.hidden = !(sum > 0);
        total.querySelector("b").textContent = money(sum);
    }

    document.addEventListener("change", write);
    document.addEventListener("input", write);
    document.addEventListener("line:added", write);
    write();
})();
