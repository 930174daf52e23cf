// A page for the printer: opens its dialog if it was asked to, or when the button is pressed.
"use strict";

document.querySelector("[data-print-now]")?.addEventListener("click", () => window.print());
if (document.body.hasAttribute("data-prints")) {
    window.addEventListener("load", () => window.print());
}
