// New order: the dialog that asks how a product is wanted.
"use strict";

const Options = (() => {
    const dialog = document.getElementById("pos-options");
    const form = dialog.querySelector("form");
    const groupsBox = dialog.querySelector(".pos-groups");
    const number = dialog.querySelector(".pos-stepper input");
    const confirm = form.querySelector("[type=submit]");
    let product = null;
    let onDone = () => {};
    let isChange = false;

    function hint(group) {
        const parts = [];
        if (group.min === 1 && group.max === 1) {
            parts.push(Shop.text("choose_one"));
        } else if (group.min === group.max) {
            parts.push(Shop.text("choose_exactly", { number: group.min }));
        } else {
            if (group.min > 0) {
                parts.push(Shop.text("choose_at_least", { number: group.min }));
            }
            if (group.max < group.options.length) {
                parts.push(Shop.text("choose_up_to", { number: group.max }));
            }
        }
        if (group.free > 0) {
            parts.push(Shop.text("free", { number: group.free }));
        }
        return parts.join(" · ");
    }

    function optionButton(group, option, isChosen) {
        const isRadio = group.min === 1 && group.max === 1;
        const input = Shop.element("input", {
            type: isRadio ? "radio" : "checkbox",
            name: `group-${group.id}`,
            value: String(option.id),
            checked: isChosen,
            disabled: !option.is_available && !isChosen,
        });
        const delta = Shop.hundredths(option.price_delta);
        const note = !option.is_available
            ? Shop.text("off")
            : [delta ? `${delta > 0 ? "+" : ""}${Shop.money(delta)}` : "", option.is_short ? Shop.text("low") : ""]
                .filter(Boolean).join(" · ");
        const label = Shop.element("label", { class: "pos-option" }, input, Shop.element("span", {}, option.name));
        if (note) {
            label.lastChild.append(Shop.element("small", {}, note));
        }
        label.classList.toggle("pos-option-off", !option.is_available || option.is_short);
        return label;
    }

    function chosenIn(group) {
        return [...groupsBox.querySelectorAll(`[name="group-${group.id}"]:checked`)].map((input) => Number(input.value));
    }

    function chosen() {
        return Shop.groupsOf(product).flatMap(chosenIn);
    }

    function quantity() {
        const value = Number(number.value);
        return Number.isInteger(value) && value >= 1 && value <= 1000 ? value : null;
    }

    // Says what is missing, and what the line will cost.
    function weigh() {
        let isComplete = quantity() !== null;
        for (const group of Shop.groupsOf(product)) {
            const picked = chosenIn(group).length;
            const isRight = picked >= group.min && picked <= group.max;
            isComplete = isComplete && isRight;
            const box = groupsBox.querySelector(`[data-group="${group.id}"]`);
            box.classList.toggle("pos-group-wrong", !isRight);
            if (group.max > 1) {
                box.querySelectorAll("input:not(:checked)").forEach((input) => {
                    const option = group.options.find((one) => String(one.id) === input.value);
                    input.disabled = !option.is_available || picked >= group.max;
                });
            }
        }
        const price = Shop.money(Shop.unitPrice(product, chosen()) * (quantity() || 1));
        confirm.textContent = Shop.text(isChange ? "change" : "add", { price });
        confirm.disabled = !isComplete;
        number.classList.toggle("pos-wrong", quantity() === null);
    }

    function step(by) {
        number.value = String(Math.min(Math.max((quantity() || 1) + by, 1), 1000));
        weigh();
    }

    // `line` is {options, quantity} of what is changed, null for something new.
    function ask(wanted, line, done) {
        product = wanted;
        onDone = done;
        isChange = line !== null;
        dialog.querySelector("h2").textContent = product.name;
        number.value = String(line ? line.quantity : 1);
        groupsBox.replaceChildren(...Shop.groupsOf(product).map((group) => {
            const defaults = group.options.filter((option) => option.is_default && option.is_available);
            const picked = line ? line.options : defaults.slice(0, group.max).map((option) => option.id);
            return Shop.element(
                "fieldset",
                { class: "pos-group", "data-group": String(group.id) },
                Shop.element("legend", {}, group.name, " ", Shop.element("small", {}, hint(group))),
                Shop.element(
                    "div",
                    { class: "pos-group-options" },
                    ...group.options.map((option) => optionButton(group, option, picked.includes(option.id))),
                ),
            );
        }));
        weigh();
        dialog.returnValue = "";
        dialog.showModal();
        (groupsBox.querySelector("input:checked, input:not(:disabled)") || confirm).focus();
    }

    groupsBox.addEventListener("change", (event) => {
        const group = Shop.groupsOf(product).find((one) => `group-${one.id}` === event.target.name);
        if (group.max === 1 && event.target.type === "checkbox" && event.target.checked) {
            groupsBox.querySelectorAll(`[name="${event.target.name}"]`).forEach((input) => {
                input.checked = input === event.target;
            });
        }
        weigh();
    });
    // Enter in a choice confirms all of it, as in any form; the browser does that only for text fields.
    groupsBox.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !confirm.disabled) {
            event.preventDefault();
            confirm.click();
        }
    });
    number.addEventListener("input", weigh);
    number.addEventListener("focus", () => number.select());
    dialog.querySelectorAll("[data-step]").forEach((button) => {
        button.addEventListener("click", () => step(Number(button.dataset.step)));
    });
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close(""));
    dialog.addEventListener("click", (event) => {
        if (event.target === dialog) {
            dialog.close("");
        }
    });
    dialog.addEventListener("close", () => {
        if (dialog.returnValue === "add" && quantity() !== null) {
            onDone({ options: chosen(), quantity: quantity() });
        }
    });

    return { ask };
})();
