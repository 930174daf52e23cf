// The page on which a seller account is connected: asks the shop how it stands, as often as Allegro allows, until it
// is over; the page then says the rest.
"use strict";

(() => {
    const page = document.getElementById("connect");
    const state = document.getElementById("connect-state");
    const csrf = page.querySelector("[name=csrfmiddlewaretoken]").value;

    async function ask() {
        let wait = 5;
        try {
            const answer = await fetch(page.dataset.url, {
                method: "POST",
                headers: { Accept: "application/json", "X-CSRFToken": csrf },
                redirect: "error", // signed out meanwhile
            });
            if (!answer.ok) {
                throw new Error(answer.status);
            }
            const told = await answer.json();
            if (told.is_over) {
                location.reload();
                return;
            }
            if (state.textContent !== told.sentence) {
                state.textContent = told.sentence;
            }
            wait = told.wait;
        } catch {
            state.textContent = page.dataset.unreachable;
        }
        setTimeout(ask, wait * 1000);
    }

    setTimeout(ask, Number(page.dataset.wait) * 1000);
})();
