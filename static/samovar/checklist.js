// A long list to tick in: a field narrows it down by name, and a number says how many are ticked.
"use strict";

function begin(list) {
    const head = list.querySelector("[data-needs-script]");
    const finds = list.querySelector("[data-finds]");
    const items = [...list.querySelectorAll("li[data-name]")];
    head.hidden = false;

    const narrow = () => {
        const words = finds.value.toLocaleLowerCase().trim().split(/\s+/);
        for (const item of items) {
            item.hidden = !words.every((word) => item.dataset.name.includes(word));
        }
    };
    const number = () => {
        list.querySelector("[data-ticked]").textContent = list.querySelectorAll("input:checked").length;
    };
    finds.addEventListener("input", narrow);
    finds.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
            event.preventDefault(); // it would send the form
        }
    });
    list.addEventListener("change", () => {
        number();
        // Who ticks something means the list: the start page offers it as one of its choices.
        const scope = document.querySelector('input[name="scope"][value="list"]');
        if (scope && list.querySelector("input:checked")) {
            scope.checked = true;
        }
    });
    number();
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-checklist]").forEach(begin));
