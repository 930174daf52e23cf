// New order: puts the parts together, keeps the cart over a reload, and sends the order once.
"use strict";

(() => {
    const page = document.getElementById("new-order");
    const place = document.getElementById("pos-place");
    const next = document.getElementById("pos-next");
    const comment = document.getElementById("pos-comment");
    const employee = document.getElementById("pos-employee");
    const below = document.getElementById("pos-below");
    const anyway = document.getElementById("pos-anyway");
    const code = document.getElementById("pos-code");
    const points = document.getElementById("pos-points");
    const pointsBox = document.getElementById("pos-points-box");
    const where = document.getElementById("pos-location");
    const toast = Shop.element("div", { class: "pos-toast", role: "status", hidden: true });
    const KEPT = "samovar-new-order";
    const isEdit = Shop.data.is_edit;
    let once = Shop.data.once;
    let isSending = false;

    document.body.append(toast);

    function everything() {
        return {
            items: Cart.items(),
            location: Shop.location,
            customer: Buyer.id(),
            employee: employee && employee.value ? Number(employee.value) : null,
            comment: comment.value,
            promo_code: code.value.trim(),
            redeem_points: usedPoints(),
            sells_below_minimum: Boolean(below?.checked),
            sells_anyway: Boolean(anyway?.checked),
            ...(isEdit && { seen_event: Shop.data.seen_event }),
        };
    }

    function forQuote() {
        const { location, customer, promo_code, redeem_points, sells_below_minimum, sells_anyway } = everything();
        return { location, customer, promo_code, redeem_points, sells_below_minimum, sells_anyway };
    }

    // Points are asked about once somebody is chosen who has any.
    function usedPoints() {
        const number = Number(points.value.trim() || 0);
        return pointsBox.hidden || !Number.isInteger(number) || number < 0 ? 0 : number;
    }

    function showPoints() {
        const held = isEdit ? Shop.data.points : Buyer.chosen()?.points || 0;
        pointsBox.hidden = held === 0;
        pointsBox.querySelector("small").textContent = held ? Shop.text("has_points", { points: held }) : "";
        if (!held) {
            points.value = "";
        }
    }

    // --- kept over a reload, for this tab only ---

    function keep() {
        place.disabled = Cart.isEmpty();
        if (next) {
            next.disabled = Cart.isEmpty();
        }
        if (!isEdit) {
            const cart = { items: Cart.items(), comment: comment.value, customer: Buyer.chosen() };
            sessionStorage.setItem(KEPT, JSON.stringify(cart));
        }
    }

    function bringBack() {
        if (isEdit) {
            Cart.set(Shop.data.items);
            return;
        }
        let kept = null;
        try {
            kept = JSON.parse(sessionStorage.getItem(KEPT));
        } catch {
            // Not ours any more: begin anew.
        }
        if (!kept) {
            return;
        }
        comment.value = kept.comment || comment.value;
        if (kept.customer && !Buyer.chosen()) {
            Buyer.choose(kept.customer);
        }
        Cart.set((kept.items || []).filter((item) => Shop.products.has(item.product)));
    }

    // --- sending ---

    function setSending(is) {
        isSending = is;
        page.classList.toggle("pos-sending", is);
        place.disabled = is || Cart.isEmpty();
        if (next) {
            next.disabled = is || Cart.isEmpty();
        }
    }

    function beginAnew() {
        sessionStorage.removeItem(KEPT);
        comment.value = "";
        code.value = "";
        points.value = "";
        for (const box of [below, anyway]) {
            if (box) {
                box.checked = false;
            }
        }
        Buyer.clear();
        Cart.set([]);
        page.classList.remove("pos-shows-cart");
    }

    function tell(body) {
        toast.replaceChildren(Shop.icon("check_circle"), Shop.element("a", { href: body.url }, body.message));
        toast.hidden = false;
        setTimeout(() => { toast.hidden = true; }, 8000);
    }

    async function send(goesOn) {
        if (isSending || Cart.isEmpty()) {
            return;
        }
        setSending(true);
        try {
            const { ok, body } = await Shop.ask(Shop.data.urls.send, { ...everything(), goes_on: goesOn, once });
            once = body.once || once;
            if (!ok) {
                Cart.refused(body);
                await loadMenu();
            } else if (goesOn) {
                tell(body);
                beginAnew();
                await loadMenu();
            } else {
                sessionStorage.removeItem(KEPT);
                window.location.assign(body.url);
                return;
            }
        } catch {
            Cart.say(Shop.text("unreachable"));
        }
        setSending(false);
    }

    // --- the menu of another place, or of a moment later ---

    async function loadMenu() {
        try {
            const { ok, body } = await Shop.ask(`${Shop.data.urls.menu}?location=${Shop.location}`);
            if (ok) {
                Shop.useMenu(body);
                Menu.refresh();
            }
        } catch {
            // The menu that is shown stays; the order itself is always checked.
        }
    }

    where?.addEventListener("change", async () => {
        Shop.location = Number(where.value);
        await loadMenu();
        Cart.askSoon();
    });
    for (const box of [below, anyway]) {
        box?.addEventListener("change", () => {
            Menu.refresh();
            Cart.askSoon();
        });
    }
    comment.addEventListener("input", keep);
    for (const field of [code, points]) {
        field.addEventListener("input", Cart.askSoon);
    }
    place.addEventListener("click", () => send(false));
    next?.addEventListener("click", () => send(true));
    document.getElementById("pos-clear").addEventListener("click", beginAnew);
    document.getElementById("pos-bar").addEventListener("click", () => page.classList.add("pos-shows-cart"));
    document.getElementById("pos-close-cart").addEventListener("click", () => page.classList.remove("pos-shows-cart"));
    document.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
            event.preventDefault();
            send(false);
        }
    });

    Cart.start({
        onChange: () => {
            Menu.refresh();
            keep();
        },
        more: forQuote,
    });
    Buyer.start?.({
        onChange: () => {
            showPoints();
            keep();
            Cart.askSoon();
        },
    });
    Menu.start({
        countOf: Cart.countOf,
        ignoresMinimum: () => Boolean(below?.checked || anyway?.checked),
        onPick: (product) => {
            if (product.groups.length) {
                Options.ask(product, null, (answer) => Cart.add(product, answer));
            } else {
                Cart.add(product, { options: [], quantity: 1 });
            }
        },
    });
    Cart.show();
    bringBack();
    showPoints();
    keep();
    // On a phone the keyboard would cover the menu.
    if (window.matchMedia("(min-width: 820px)").matches) {
        Menu.focusSearch();
    }
})();
