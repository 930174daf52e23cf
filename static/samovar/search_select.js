// A select with `data-searchable` becomes a field to type in: it finds by any part of a name, works by keyboard,
// and leaves the select in the form to be sent. Without scripts the select stays as it is.
"use strict";

(() => {
    const MOST_SHOWN = 200;
    const plain = (text) => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();

    function enhance(select) {
        if (select.dataset.searchReady || /__prefix__/.test(select.name)) {
            return;
        }
        select.dataset.searchReady = "1";
        const box = document.createElement("span");
        box.className = "sv-search";
        const input = document.createElement("input");
        input.type = "text";
        input.id = `${select.id}_search`;
        input.className = select.className;
        input.autocomplete = "off";
        input.spellcheck = false;
        input.disabled = select.disabled;
        input.setAttribute("role", "combobox");
        input.setAttribute("aria-expanded", "false");
        input.setAttribute("aria-autocomplete", "list");
        const list = document.createElement("ul");
        list.className = "sv-search-list";
        list.id = `${select.id}_list`;
        list.setAttribute("role", "listbox");
        list.popover = "manual";
        input.setAttribute("aria-controls", list.id);
        for (const label of select.labels || []) {
            label.htmlFor = input.id;
        }
        if (select.hasAttribute("aria-label")) {
            input.setAttribute("aria-label", select.getAttribute("aria-label"));
        }
        select.before(box);
        box.append(input, list, select);
        select.classList.add("sv-search-select");
        select.tabIndex = -1;

        let shown = [];
        let active = -1;
        const isOpen = () => list.matches(":popover-open");

        function label() {
            const option = select.selectedOptions[0];
            input.value = option && option.value ? option.label : "";
        }

        function close() {
            if (isOpen()) {
                list.hidePopover();
            }
            input.setAttribute("aria-expanded", "false");
            input.removeAttribute("aria-activedescendant");
        }

        function mark(index) {
            active = shown.length ? (index + shown.length) % shown.length : -1;
            [...list.children].forEach((item, place) => {
                item.setAttribute("aria-selected", String(place === active));
            });
            const item = list.children[active];
            if (item && active >= 0) {
                item.scrollIntoView({ block: "nearest" });
                input.setAttribute("aria-activedescendant", item.id);
            }
        }

        function place() {
            const frame = input.getBoundingClientRect();
            const below = window.innerHeight - frame.bottom;
            list.style.left = `${frame.left}px`;
            list.style.width = `${Math.max(frame.width, 180)}px`;
            list.style.maxHeight = `${Math.min(288, Math.max(below, frame.top) - 16)}px`;
            if (below >= Math.min(288, list.scrollHeight) + 8 || below >= frame.top) {
                list.style.top = `${frame.bottom + 4}px`;
                list.style.bottom = "auto";
            } else {
                list.style.top = "auto";
                list.style.bottom = `${window.innerHeight - frame.top + 4}px`;
            }
        }

        function open(text) {
            const words = plain(text).split(/\s+/).filter(Boolean);
            shown = [...select.options].filter((option) => {
                const name = plain(option.label);
                return option.value && words.every((word) => name.includes(word));
            }).slice(0, MOST_SHOWN);
            list.replaceChildren(...shown.map((option, index) => {
                const item = document.createElement("li");
                item.id = `${list.id}_${index}`;
                item.setAttribute("role", "option");
                item.textContent = option.label;
                return item;
            }));
            if (!shown.length) {
                close();
                return;
            }
            if (!isOpen()) {
                list.showPopover();
            }
            input.setAttribute("aria-expanded", "true");
            place();
            const selected = shown.findIndex((option) => option.selected);
            mark(words.length ? 0 : Math.max(selected, 0));
        }

        function choose(option) {
            const isNew = select.value !== option.value;
            select.value = option.value;
            label();
            close();
            if (isNew) {
                select.dispatchEvent(new Event("change", { bubbles: true }));
            }
        }

        input.addEventListener("focus", () => input.select());
        input.addEventListener("click", () => open(""));
        input.addEventListener("input", () => open(input.value));
        input.addEventListener("keydown", (event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                event.preventDefault();
                if (isOpen()) {
                    mark(active + (event.key === "ArrowDown" ? 1 : -1));
                } else {
                    open("");
                }
            } else if (event.key === "Enter" && isOpen()) {
                event.preventDefault();
                choose(shown[active]);
            } else if (event.key === "Tab" && isOpen() && shown[active]) {
                choose(shown[active]);
            } else if (event.key === "Escape" && isOpen()) {
                event.preventDefault();
                label();
                close();
            }
        });
        input.addEventListener("blur", () => {
            if (!input.value.trim() && select.value && [...select.options].some((option) => !option.value)) {
                select.value = "";
                select.dispatchEvent(new Event("change", { bubbles: true }));
            }
            label();
            close();
        });
        list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
        list.addEventListener("click", (event) => {
            const index = [...list.children].indexOf(event.target.closest("li"));
            if (index >= 0) {
                choose(shown[index]);
            }
        });
        select.addEventListener("change", label);
        window.addEventListener("resize", close);
        document.addEventListener("scroll", (event) => {
            if (isOpen() && event.target !== list) {
                place();
            }
        }, true);
        label();
    }

    const enhanceAll = (root) => root.querySelectorAll("select[data-searchable]").forEach(enhance);

    document.addEventListener("formset:added", (event) => enhanceAll(event.target));
    document.addEventListener("line:added", (event) => enhanceAll(event.target));
    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", () => enhanceAll(document));
    } else {
        enhanceAll(document);
    }
})();
