// The counter: which half is shown, the sound of a new order, and the keyboard.
"use strict";

(() => {
    const { text } = Counter;
    const tabs = document.querySelectorAll(".bar [data-shows]");
    const sound = document.getElementById("sound-button");
    const QUIET_KEY = "counter-quiet";
    const title = document.title;
    let audio = null;
    let missed = 0;

    function shows(view) {
        document.body.dataset.view = view;
        tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.dataset.shows === view)));
        history.replaceState(null, "", view === "queue" ? location.pathname : `#${view}`);
    }

    tabs.forEach((tab) => tab.addEventListener("click", () => shows(tab.dataset.shows)));
    if (location.hash === "#sell" && document.getElementById("sell")) {
        shows("sell");
    }

    // --- the sound; a browser lets a page make one only after a first tap ---

    const isQuiet = () => localStorage.getItem(QUIET_KEY) === "1";
    const showSound = () => sound.setAttribute("aria-pressed", String(!isQuiet()));

    document.addEventListener("pointerdown", () => {
        audio ??= "AudioContext" in window ? new AudioContext() : null;
        audio?.resume();
    });

    function ring() {
        if (isQuiet() || audio?.state !== "running") {
            return;
        }
        [880, 1320].forEach((pitch, place) => {
            const start = audio.currentTime + place * 0.14;
            const tone = audio.createOscillator();
            const loudness = audio.createGain();
            tone.frequency.value = pitch;
            loudness.gain.setValueAtTime(0.0001, start);
            loudness.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
            loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.35);
            tone.connect(loudness).connect(audio.destination);
            tone.start(start);
            tone.stop(start + 0.4);
        });
    }

    sound.addEventListener("click", () => {
        localStorage.setItem(QUIET_KEY, isQuiet() ? "0" : "1");
        showSound();
        ring();
    });
    showSound();

    Counter.on("new-orders", (orders) => {
        ring();
        if (document.body.dataset.view === "sell") {
            Counter.toast(text("new_order", { call: orders.map((order) => order.call).join(", ") }));
        }
        document.getElementById("queue-count").classList.add("fresh");
        setTimeout(() => document.getElementById("queue-count").classList.remove("fresh"), 3000);
        if (document.hidden) {
            missed += orders.length;
            document.title = `(${missed}) ${title}`;
        }
    });
    document.addEventListener("visibilitychange", () => {
        if (!document.hidden) {
            missed = 0;
            document.title = title;
        }
    });

    document.addEventListener("keydown", (event) => {
        if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        if (event.key === "/" && document.getElementById("search")) {
            event.preventDefault();
            shows("sell");
            document.getElementById("search").focus();
        }
    });
})();
