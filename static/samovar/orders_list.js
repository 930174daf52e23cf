// The list of orders: a named period and written days take each other's place, and empty filters stay out of the address.
"use strict";

document.addEventListener("change", (event) => {
    const form = event.target.closest("#filter-form");
    if (!form) {
        return;
    }
    if (event.target.name === "period") {
        form.querySelectorAll("input[type=date]").forEach((input) => { input.value = ""; });
    } else if (event.target.type === "date") {
        form.querySelectorAll("input[name=period]").forEach((input) => { input.checked = input.value === ""; });
    }
});

document.addEventListener("submit", (event) => {
    if (event.target.id === "filter-form") {
        event.target.querySelectorAll("input, select").forEach((input) => { input.disabled = input.value === ""; });
    }
});
