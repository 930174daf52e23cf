// Forms that take or pay back money: only what the choice above needs is shown, and the change as it is typed.
"use strict";

function field(form, name) {
    return form.querySelector(`[data-${name}]`);
}

function chosen(form) {
    const choice = form.querySelector("[data-chooses]:checked, [data-chooses] :checked");
    return choice ? choice.value : "";
}

function number(input) {
    return Number((input?.value ?? "").replace(/\s/g, "").replace(",", ".")) || 0;
}

function showWhatIsNeeded(form) {
    const choice = chosen(form);
    for (const input of form.querySelectorAll("[data-shown-for]")) {
        const row = input.closest(".group");
        if (row) {
            row.hidden = !input.dataset.shownFor.split(" ").includes(choice);
        }
    }
}

function showChange(form) {
    const tendered = field(form, "tendered");
    if (!tendered) {
        return;
    }
    let output = form.querySelector("output");
    if (!output) {
        output = document.createElement("output");
        output.className = "ord-change";
        tendered.after(output);
    }
    const change = number(tendered) - number(field(form, "amount")) - number(field(form, "tip"));
    const shown = change.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });
    output.textContent = number(tendered) ? tendered.dataset.changeIs.replace("%(amount)s", shown) : "";
    output.classList.toggle("ord-change-short", change < 0);
}

for (const chooser of document.querySelectorAll("[data-chooses]")) {
    const form = chooser.closest("form");
    const update = () => {
        showWhatIsNeeded(form);
        showChange(form);
    };
    form.addEventListener("input", update);
    form.addEventListener("change", update);
    update();
}
