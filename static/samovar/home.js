// The home page: fetched anew each minute while somebody looks at it, so that no order waits unseen.
"use strict";

(() => {
    const MINUTE = 60 * 1000;
    const home = document.getElementById("home");
    let last = Date.now();

    async function renew() {
        if (document.hidden || Date.now() - last < MINUTE || home.contains(document.activeElement)) {
            return;
        }
        last = Date.now();
        try {
            const answer = await fetch(window.location.href, { redirect: "error" });
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const fresh = page.getElementById("home");
            if (answer.ok && fresh) {
                home.replaceChildren(...fresh.childNodes);
            }
        } catch {
            // Not reachable, or signed out: what is shown stays, and the next minute asks again.
        }
    }

    setInterval(renew, 5000);
    document.addEventListener("visibilitychange", renew);
})();
