// Adding and taking out the lines of a form (templates/foundation/lines.html).
"use strict";

(() => {
    function setUp(root) {
        const prefix = root.dataset.lines;
        const total = root.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
        const most = Number(root.querySelector(`[name="${prefix}-MAX_NUM_FORMS"]`).value);
        const body = root.querySelector(".sv-lines-body");
        const template = root.querySelector("template");
        const adder = root.querySelector("[data-adds-line]");
        const lines = () => [...body.querySelectorAll("[data-line]")].filter((line) => !line.hidden);

        function add() {
            if (Number(total.value) >= most) {
                return;
            }
            const holder = document.createElement("div");
            holder.innerHTML = template.innerHTML.replaceAll("__prefix__", total.value);
            const line = holder.firstElementChild;
            total.value = String(Number(total.value) + 1);
            body.append(line);
            adder.disabled = Number(total.value) >= most;
            line.dispatchEvent(new CustomEvent("line:added", { bubbles: true }));
            line.querySelector("input:not([type=hidden]), select")?.focus();
        }

        function takeOut(line) {
            // The numbers of the lines must have no gaps: it is marked as taken out, and stays in the form.
            line.querySelector("[name$='-DELETE']").checked = true;
            line.hidden = true;
            line.dispatchEvent(new Event("change", { bubbles: true }));
            if (!lines().length) {
                add();
            }
        }

        adder.addEventListener("click", add);
        body.addEventListener("click", (event) => {
            const remover = event.target.closest("[data-removes-line]");
            if (remover) {
                takeOut(remover.closest("[data-line]"));
            }
        });
        body.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" || event.defaultPrevented || event.target.tagName !== "INPUT") {
                return;
            }
            // Enter goes on: to the next field, and from the last one to a new line. It never sends the form.
            event.preventDefault();
            const fields = [...body.querySelectorAll("[data-line]:not([hidden]) input:not([type=hidden]):not([type=checkbox])")];
            const next = fields[fields.indexOf(event.target) + 1];
            if (next) {
                next.focus();
            } else {
                add();
            }
        });
    }

    document.querySelectorAll("[data-lines]").forEach(setUp);
})();
