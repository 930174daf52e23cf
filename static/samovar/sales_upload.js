// The page where sales are handed in: a file that is too large is refused before it is sent.
"use strict";

(() => {
    const form = document.getElementById("sales-upload");
    form.addEventListener("submit", (event) => {
        const [file] = form.querySelector("input[type=file]").files;
        if (file && file.size > Number(form.dataset.largest)) {
            event.preventDefault();
            // verbs.js would switch the button off.
            event.stopPropagation();
            form.querySelector("[data-refusal]").replaceChildren(form.querySelector("template").content.cloneNode(true));
        }
    });
})();
