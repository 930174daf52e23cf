// A page that takes a file: one that is too large is refused before it is sent.
"use strict";

for (const form of document.querySelectorAll("form[data-largest]")) {
    form.addEventListener("submit", (event) => {
        const file = form.querySelector("input[type=file]").files[0];
        if (file && file.size > Number(form.dataset.largest)) {
            event.preventDefault();
            event.stopPropagation(); // verbs.js would switch the button off
            form.querySelector("[data-refusal]").replaceChildren(form.querySelector("template").content.cloneNode(true));
        }
    });
}
