// Asks the server what the promotion's form says, in words, whenever something in it changes.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const shown = document.querySelector("[data-preview]");
    const form = shown?.closest("form");
    if (!form) {
        return;
    }
    const words = shown.querySelector("[data-preview-words]");
    let waiting;
    let asked = 0;

    async function ask() {
        const number = ++asked;
        try {
            const answer = await fetch(shown.dataset.preview, { method: "POST", body: new FormData(form) });
            if (answer.ok && number === asked) {
                words.textContent = (await answer.json()).words;
            }
        } catch {
            // Without a connection the old words would be wrong.
            words.textContent = "…";
        }
        shown.classList.toggle("promo-waits", false);
    }

    function soon() {
        shown.classList.add("promo-waits");
        clearTimeout(waiting);
        waiting = setTimeout(ask, 300);
    }

    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    // The fields that search are jQuery's: it tells nobody else.
    window.django?.jQuery(form).on("change", "select", soon);
    if (form.querySelector(".errorlist, [name=value]")?.value) {
        ask();
    }
});
