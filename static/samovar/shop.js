/* What makes the public pages smoother. They work without it. */
"use strict";

(() => {
    const sheet = document.getElementById("sheet");
    const lists = "[data-submits]";

    /* A list that sends its form by itself needs no button. */
    for (const list of document.querySelectorAll(lists)) {
        list.form.classList.add("sends-itself");
        list.addEventListener("change", () => list.form.requestSubmit());
    }

    const showSteps = (root) => {
        for (const button of root.querySelectorAll("[data-step]")) button.hidden = false;
    };
    showSteps(document);

    document.addEventListener("click", (event) => {
        const button = event.target.closest("[data-step]");
        if (button) {
            const input = button.parentElement.querySelector("input");
            const least = Number(input.min), most = Number(input.max);
            const number = Math.min(most, Math.max(least, (Number(input.value) || 0) + Number(button.dataset.step)));
            if (String(number) !== input.value) {
                input.value = number;
                input.dispatchEvent(new Event("change", { bubbles: true }));
            }
        } else if (event.target === sheet || event.target.closest("[data-close]")) {
            sheet?.close();
        }
    });

    document.addEventListener("htmx:afterSwap", (event) => {
        showSteps(event.target);
        if (sheet && event.target.id === "sheet-content" && event.target.childElementCount && !sheet.open) {
            sheet.showModal();
        }
    });

    /* A second tap on "Order" changes nothing; the server sees to that too. */
    document.addEventListener("submit", (event) => {
        const button = event.submitter;
        if (!button?.matches("[data-once]")) return;
        if (button.dataset.sent) event.preventDefault();
        button.dataset.sent = "1";
    });
    addEventListener("pageshow", () => {
        for (const button of document.querySelectorAll("[data-sent]")) delete button.dataset.sent;
    });

    document.addEventListener("put-into-cart", () => {
        sheet?.close();
        document.getElementById("messages")?.scrollIntoView({ block: "nearest" });
    });
})();
