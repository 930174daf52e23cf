// The page of a large batch: shows how far it is, and asks again each second until it has finished.
"use strict";

(() => {
    const page = document.getElementById("batch");
    const state = page.querySelector("[data-field=state]");
    const bar = page.querySelector("[role=progressbar]");
    const table = page.querySelector("table");

    function row(failure) {
        const line = document.createElement("tr");
        const link = Object.assign(document.createElement("a"), { href: failure.url, textContent: failure.order });
        link.className = "ord-link";
        line.insertCell().append(link);
        line.insertCell().append(failure.detail);
        return line;
    }

    function show(progress) {
        for (const name of ["done", "total", "succeeded", "failed"]) {
            page.querySelector(`[data-field=${name}]`).textContent = progress[name].toLocaleString(document.documentElement.lang);
        }
        state.textContent = progress.is_finished ? state.dataset.finished : state.dataset.running;
        bar.firstElementChild.style.width = `${progress.total ? (100 * progress.done) / progress.total : 100}%`;
        bar.setAttribute("aria-valuenow", progress.done);
        bar.setAttribute("aria-valuemax", progress.total);
        table.hidden = progress.failures.length === 0;
        table.tBodies[0].replaceChildren(...progress.failures.map(row));
        page.querySelector("[data-field=rest]").hidden = progress.failed <= progress.failures.length;
        return progress.is_finished;
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

    if (!show(JSON.parse(document.getElementById("batch-progress").textContent))) {
        setTimeout(ask, 1000);
    }
})();
