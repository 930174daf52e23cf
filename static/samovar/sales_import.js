// The page of an import of sales: shows how far it is, and asks again each second while it runs.
"use strict";

(() => {
    const page = document.getElementById("sales-import");
    const badge = document.querySelector("[data-field=status]");
    const state = page.querySelector("[data-field=state]");
    const bar = page.querySelector("[role=progressbar]");

    function show(progress) {
        for (const name of ["done", "total", "imported", "already_there"]) {
            page.querySelector(`[data-field=${name}]`).textContent = progress[name].toLocaleString(document.documentElement.lang);
        }
        badge.textContent = progress.status_label;
        badge.dataset.status = progress.colour;
        state.textContent = progress.is_running ? state.dataset.running : "";
        bar.firstElementChild.style.width = `${progress.total ? (100 * progress.done) / progress.total : 100}%`;
        bar.setAttribute("aria-valuenow", progress.done);
        bar.setAttribute("aria-valuemax", progress.total);
        page.querySelector("[data-while-running]").hidden = !progress.is_running;
        for (const one of page.querySelectorAll("[data-when]")) {
            one.hidden = one.dataset.when !== progress.status;
        }
        return !progress.is_running;
    }

    async function ask() {
        try {
            const answer = await fetch(page.dataset.url, { headers: { Accept: "application/json" } });
            if (answer.ok && show(await answer.json())) {
                return;
            }
        } catch {
            state.textContent = state.dataset.unreachable;
        }
        setTimeout(ask, 1000);
    }

    if (!show(JSON.parse(document.getElementById("sales-import-progress").textContent))) {
        setTimeout(ask, 1000);
    }
})();
