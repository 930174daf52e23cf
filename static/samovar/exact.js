// Exact decimals: whole numbers of any size with a number of decimals. Nothing is ever 0.30000000004.
"use strict";

const Exact = (() => {
    const power = (decimals) => 10n ** BigInt(decimals);
    const make = (digits, decimals) => ({ digits, decimals });
    const WRITTEN = /^([+-]?)(?=\d|\.\d)(\d*)\.?(\d*)$/;

    // "-12.50" as the server writes it; null for what is no such number.
    function of(text) {
        const found = WRITTEN.exec(String(text).trim());
        if (!found) {
            return null;
        }
        const digits = BigInt(`${found[2]}${found[3]}` || "0");
        return make(found[1] === "-" ? -digits : digits, found[3].length);
    }

    function aligned(one, other) {
        const decimals = Math.max(one.decimals, other.decimals);
        const digits = (number) => number.digits * power(decimals - number.decimals);
        return [digits(one), digits(other), decimals];
    }

    function add(one, other) {
        const [left, right, decimals] = aligned(one, other);
        return make(left + right, decimals);
    }

    const negative = (number) => make(-number.digits, number.decimals);
    const less = (one, other) => add(one, negative(other));
    const times = (one, other) => make(one.digits * other.digits, one.decimals + other.decimals);
    const sign = (number) => (number.digits > 0n ? 1 : number.digits < 0n ? -1 : 0);
    const size = (number) => (number.digits < 0n ? -number.digits : number.digits);

    // A fraction of whole numbers, half up: away from zero, as the server rounds.
    function divided(top, bottom, decimals) {
        const isNegative = (top < 0n) !== (bottom < 0n);
        const [above, below] = [top < 0n ? -top : top, bottom < 0n ? -bottom : bottom];
        const digits = (2n * above * power(decimals) + below) / (2n * below);
        return make(isNegative ? -digits : digits, decimals);
    }

    const round = (number, decimals) =>
        number.decimals <= decimals
            ? make(number.digits * power(decimals - number.decimals), decimals)
            : divided(number.digits, power(number.decimals), decimals);

    function over(one, other, decimals) {
        const [top, bottom] = aligned(one, other);
        return divided(top, bottom, decimals);
    }

    // The number with all of its decimals: "-12.500".
    function text(number) {
        const digits = String(size(number)).padStart(number.decimals + 1, "0");
        const whole = digits.slice(0, digits.length - number.decimals);
        const part = digits.slice(digits.length - number.decimals);
        return `${number.digits < 0n ? "-" : ""}${whole}${part && `.${part}`}`;
    }

    const zero = make(0n, 0);
    const hundred = make(100n, 0);
    const largest = (one, other) => (sign(less(one, other)) < 0 ? other : one);

    return { of, add, less, times, sign, round, over, text, largest, zero, hundred };
})();
