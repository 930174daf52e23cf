// Verb buttons: a button that asks first opens its dialog instead of its page, and no form is sent twice.
"use strict";

document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens-dialog]");
    if (opener && opener.nextElementSibling instanceof HTMLDialogElement) {
        event.preventDefault();
        opener.nextElementSibling.showModal();
        return;
    }
    if (event.target.closest("[data-closes-dialog]")) {
        event.target.closest("dialog").close();
        return;
    }
    if (event.target instanceof HTMLDialogElement) {
        event.target.close(); // the dark part around the dialog was clicked
    }
});

document.addEventListener("submit", (event) => {
    if (!event.target.matches(".sv-sends-once")) {
        return;
    }
    for (const button of event.target.querySelectorAll("[type=submit]")) {
        // After this event, or the button's own name and value would not be sent.
        setTimeout(() => { button.disabled = true; });
    }
});

// Back from the browser's memory the page would still have its buttons off.
window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
        document.querySelectorAll(".sv-sends-once [type=submit]").forEach((button) => { button.disabled = false; });
    }
});
