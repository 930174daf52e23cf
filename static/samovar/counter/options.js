// The counter: the sheet that asks how a drink is wanted.
"use strict";

const Options = (() => {
    const { element, text, money, hundredths } = Counter;
    const sheet = document.getElementById("options-sheet");
    const form = sheet.querySelector("form");
    const groupsBox = document.getElementById("option-groups");
    const number = sheet.querySelector("output");
    const confirm = form.querySelector("[type=submit]");
    let product = null;
    let isChange = false;
    let onDone = () => {};

    function hint(group) {
        const parts = [];
        if (group.min === 1 && group.max === 1) {
            parts.push(text("choose_one"));
        } else if (group.min === group.max) {
            parts.push(text("choose_exactly", { number: group.min }));
        } else {
            if (group.min > 0) {
                parts.push(text("choose_at_least", { number: group.min }));
            }
            if (group.max < group.options.length) {
                parts.push(text("choose_up_to", { number: group.max }));
            }
        }
        if (group.free > 0) {
            parts.push(text("free", { number: group.free }));
        }
        return parts.join(" · ");
    }

    function optionButton(group, option, isChosen) {
        const input = element("input", {
            type: group.min === 1 && group.max === 1 ? "radio" : "checkbox",
            name: `group-${group.id}`,
            value: String(option.id),
            checked: isChosen,
            disabled: !option.is_available && !isChosen,
        });
        const delta = hundredths(option.price_delta);
        const note = !option.is_available
            ? text("off")
            : [delta ? `${delta > 0 ? "+" : ""}${money(delta)}` : "", option.is_short ? text("low") : ""].filter(Boolean).join(" · ");
        const label = element("label", { class: "option" }, input, element("span", {}, option.name));
        if (note) {
            label.lastChild.append(element("small", {}, note));
        }
        return label;
    }

    const chosenIn = (group) =>
        [...groupsBox.querySelectorAll(`[name="group-${group.id}"]:checked`)].map((input) => Number(input.value));
    const chosen = () => Menu.groupsOf(product).flatMap(chosenIn);

    // Says what is missing, and what the line will cost.
    function weigh() {
        let isComplete = true;
        for (const group of Menu.groupsOf(product)) {
            const picked = chosenIn(group).length;
            const isRight = picked >= group.min && picked <= group.max;
            isComplete = isComplete && isRight;
            const box = groupsBox.querySelector(`[data-group="${group.id}"]`);
            box.classList.toggle("wrong", !isRight);
            if (group.max > 1) {
                box.querySelectorAll("input:not(:checked)").forEach((input) => {
                    const option = group.options.find((one) => String(one.id) === input.value);
                    input.disabled = !option.is_available || picked >= group.max;
                });
            }
        }
        const price = money(Menu.unitPrice(product, chosen()) * Number(number.textContent));
        confirm.textContent = text(isChange ? "change_line" : "add", { price });
        confirm.disabled = !isComplete;
    }

    // `line` is {options, quantity} of what is changed, null for something new.
    function ask(wanted, line, done) {
        product = wanted;
        onDone = done;
        isChange = line !== null;
        sheet.querySelector("h2").textContent = product.name;
        number.textContent = String(line ? line.quantity : 1);
        groupsBox.replaceChildren(...Menu.groupsOf(product).map((group) => {
            const picked = line ? line.options : Menu.defaultsOf(group);
            return element(
                "fieldset", { class: "group", "data-group": String(group.id) },
                element("legend", {}, group.name, " ", element("small", {}, hint(group))),
                element("div", { class: "group-options" }, ...group.options.map((option) =>
                    optionButton(group, option, picked.includes(option.id)))),
            );
        }));
        weigh();
        sheet.returnValue = "";
        sheet.showModal();
        groupsBox.scrollTop = 0;
    }

    groupsBox.addEventListener("change", weigh);
    sheet.querySelectorAll("[data-step]").forEach((button) => button.addEventListener("click", () => {
        number.textContent = String(Math.min(Math.max(Number(number.textContent) + Number(button.dataset.step), 1), 1000));
        weigh();
    }));
    sheet.addEventListener("close", () => {
        if (sheet.returnValue === "add") {
            onDone({ options: chosen(), quantity: Number(number.textContent) });
        }
    });

    return { ask };
})();
