// What a drink costs and what is left of its price, as inventory/costs.py and inventory/recipes.py reckon it.
// A test holds the two together. Numbers are Exact; costs is a Map of ingredient to money per base unit.
"use strict";

const Costing = (() => {
    const QUANTITY_DECIMALS = 3;
    const PERCENT_DECIMALS = 1;

    const ofKind = (effects, kind) => effects.filter((effect) => effect.kind === kind);

    function put(taken, ingredient, quantity) {
        taken.set(ingredient, Exact.add(taken.get(ingredient) || Exact.zero, quantity));
    }

    // What one portion takes: a Map of ingredient to quantity. First what is replaced, then scaled, then added.
    function portion(recipe, options = []) {
        const lines = recipe.map((line) => ({ ...line, writtenAs: line.ingredient }));
        const effects = options.flatMap((option) => option.effects);
        for (const effect of ofKind(effects, "replace")) {
            for (const line of lines.filter((one) => one.ingredient === effect.ingredient)) {
                line.ingredient = effect.replacement;
            }
        }
        for (const effect of ofKind(effects, "scale")) {
            for (const line of lines) {
                const isMeant = effect.ingredient === null
                    ? line.scales
                    : [line.ingredient, line.writtenAs].includes(effect.ingredient);
                if (isMeant) {
                    line.quantity = Exact.times(line.quantity, effect.factor);
                }
            }
        }
        const taken = new Map();
        lines.forEach((line) => put(taken, line.ingredient, line.quantity));
        ofKind(effects, "add").forEach((effect) => put(taken, effect.ingredient, effect.quantity));
        return withoutNothing(taken, (quantity) => Exact.round(quantity, QUANTITY_DECIMALS));
    }

    const withoutNothing = (taken, change = (quantity) => quantity) =>
        new Map([...taken].map(([id, quantity]) => [id, change(quantity)]).filter(([, quantity]) => Exact.sign(quantity)));

    // What is known of the cost, and the ingredients whose cost is not.
    function costOf(taken, costs) {
        let amount = Exact.zero;
        const unknown = [];
        for (const [ingredient, quantity] of taken) {
            const cost = costs.get(ingredient);
            if (cost) {
                amount = Exact.add(amount, Exact.times(quantity, cost));
            } else {
                unknown.push(ingredient);
            }
        }
        return { amount, unknown };
    }

    function difference(taken, before) {
        const changes = new Map();
        for (const ingredient of new Set([...before.keys(), ...taken.keys()])) {
            const now = taken.get(ingredient) || Exact.zero;
            changes.set(ingredient, Exact.less(now, before.get(ingredient) || Exact.zero));
        }
        return withoutNothing(changes);
    }

    function figures(price, cost) {
        const foodCost = Exact.sign(price)
            ? Exact.over(Exact.times(cost.amount, Exact.hundred), price, PERCENT_DECIMALS)
            : null;
        return { price, cost, foodCost, marginPercent: foodCost && Exact.less(Exact.hundred, foodCost) };
    }

    const recipeFigures = (product, costs) => figures(product.price, costOf(portion(product.recipe), costs));

    // Of each group, the cheapest of the chosen options that cost something are free.
    function charged(group, chosen) {
        const costly = chosen
            .filter((option) => Exact.sign(option.price_delta) > 0)
            .sort((one, other) => Exact.sign(Exact.less(one.price_delta, other.price_delta)));
        const free = new Set(costly.slice(0, group.free_choices));
        return chosen.filter((option) => !free.has(option)).map((option) => option.price_delta);
    }

    // As the drink is sold to who chooses nothing.
    function usualFigures(product, costs) {
        const chosen = product.groups.map((group) => group.options.filter((option) => option.is_usual));
        const deltas = product.groups.flatMap((group, place) => charged(group, chosen[place]));
        const price = Exact.largest(deltas.reduce(Exact.add, product.price), Exact.zero);
        return figures(price, costOf(portion(product.recipe, chosen.flat()), costs));
    }

    // What choosing each option, and no other, makes of a portion.
    function optionFigures(product, costs) {
        const plain = portion(product.recipe);
        return product.groups.flatMap((group) => group.options).map((option) => {
            const taken = portion(product.recipe, [option]);
            const price = Exact.largest(Exact.add(product.price, option.price_delta), Exact.zero);
            return {
                option,
                change: costOf(difference(taken, plain), costs),
                figures: figures(price, costOf(taken, costs)),
            };
        });
    }

    // The server's numbers are strings: the menu's groups and the costs, ready to be reckoned with.
    const exactOrNull = (text) => (text === null ? null : Exact.of(text));
    const readGroups = (groups) => groups.map((group) => ({
        ...group,
        options: group.options.map((option) => ({
            ...option,
            price_delta: Exact.of(option.price_delta),
            effects: option.effects.map((effect) => ({
                ...effect,
                factor: exactOrNull(effect.factor),
                quantity: exactOrNull(effect.quantity),
            })),
        })),
    }));
    const readRecipe = (recipe) => recipe.map((line) => ({ ...line, quantity: Exact.of(line.quantity) }));
    const readCosts = (costs) => new Map(Object.entries(costs).map(([id, cost]) => [Number(id), Exact.of(cost)]));

    return { portion, costOf, recipeFigures, usualFigures, optionFigures, readGroups, readRecipe, readCosts };
})();
