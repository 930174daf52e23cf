"""Attacks on the masking: secrets and personal data of every kind, in every place where a log line may hold them."""

import dataclasses
import json
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foundation import masking
from foundation.error_places import add_error_place
from foundation.logs import mask_secrets
from foundation.masking import LONGEST_TEXT, MASK, has_check_digit, mask_text

EXAMPLES = settings(max_examples=60)


def shown(**values: Any) -> str:
    """What a log line with these values says."""
    line = mask_secrets(None, "info", {"event": "at work", **values})
    return json.dumps(line, ensure_ascii=False)


def leaks(secret: str, text: str, piece: int = 6) -> bool:
    """Whether as much as six characters of it in a row are left."""
    plain = text.replace(MASK, "\n")
    return any(secret[at : at + piece] in plain for at in range(max(1, len(secret) - piece + 1)))


# --- what may not be seen by its look ---------------------------------------------------------------

digits = st.text("0123456789", min_size=9, max_size=9)


def card(prefix: str, tail: str) -> str:
    number = (prefix + tail + "0000000000000")[: 14 if prefix == "37" else 15]
    return next(number + last for last in "0123456789" if has_check_digit(number + last))


def grouped(number: str, between: str) -> str:
    return between.join(number[at : at + 4] for at in range(0, len(number), 4))


def iban(country: str, account: str) -> str:
    checks = 98 - int("".join(str(int(sign, 36)) for sign in f"{account}{country}00")) % 97
    return f"{country}{checks:02}{account}"


cards = st.builds(card, st.sampled_from(["4", "52", "2204", "37", "2221"]), digits).filter(has_check_digit)
ibans = st.builds(iban, st.sampled_from(["PL", "DE"]), digits.map(lambda tail: (tail * 3)[:24]))
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=7, max_size=20).map(lambda text: f"q{text}")
base64 = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=35, max_size=35)
recognised = st.one_of(
    st.builds(lambda number, tail: f"{number}:AA{tail}", st.integers(100_000, 9_999_999_999), base64),
    words.map(lambda name: f"{name}@mail.example.ru"),
    digits.map(lambda tail: f"+48{tail}"),
    digits.map(lambda tail: f"+7 (9{tail[:2]}) {tail[2:5]}-{tail[5:7]}-{tail[7:]}"),
    digits.map(lambda tail: f"+7\u00a09{tail[:2]}\u00a0{tail[2:5]}\u201110{tail[5:7]}"),
    digits.map(lambda tail: f"8{tail}0"),
    digits.map(lambda tail: f"0048{tail}"),
    digits.map(lambda tail: f"{tail[:3]} {tail[3:6]} {tail[6:]}"),
    digits.map(lambda tail: f"{tail[:3]}-{tail[3:6]}-{tail[6:8]}-{tail[7:]}"),
    cards,
    st.builds(grouped, cards, st.sampled_from([" ", "-", "\u00a0"])),
    ibans,
    st.builds(grouped, ibans, st.just(" ")),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.builds(lambda one, two: f"eyJ{one}.{two}.sig", base64, base64),
    st.builds(lambda one: f"gAAAAA{one}", base64),
    words.map(lambda tail: f"pbkdf2_sha256$1000000${tail}$hash{tail}="),
)

# --- what may not be seen because of its name ---------------------------------------------------------

NAMES = [
    *("password", "Api-Key", "client_secret", "HTTP_AUTHORIZATION", "csrfmiddlewaretoken", "sessionid", "accessToken"),
    *("X-Api-Key", "telegram_bot_token", "PGPASSWORD", "pin", "cvv", "BACKUP_KEY", "пароль", "apiKey"),
]
PERSONAL = ["customer_email", "phone", "first_name", "recipient_name", "birthday", "card_number", "pesel", "chat_id"]
names = st.sampled_from([*NAMES, *PERSONAL])
# Quotes, brackets and backslashes included; letters of no other word of the line.
nasty = st.text("QZXJKVW789\"'\\{}[](),;:=&<>%@/+#", min_size=6, max_size=40)
tame = st.text("QZXJKVW789-_.~", min_size=6, max_size=30).map(lambda text: f"{text}Q7")


@dataclasses.dataclass
class Customer:
    email: str


class Stubborn:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return f"Stubborn({self.text})"

    __repr__ = __str__


def raised(text: str) -> str:
    """The trace of an error that was caused by another one, and by its arguments."""
    try:
        try:
            raise KeyError(text, {"why": text})
        except KeyError as error:
            error.add_note(f"seen with {text}")
            raise RuntimeError("it failed") from error
    except RuntimeError as error:
        return "".join(traceback.format_exception(error))


PLACES: dict[str, Callable[[str], Any]] = {
    "alone": lambda text: text,
    "in a sentence": lambda text: f"sent to {text} at noon",
    "between brackets": lambda text: f"({text})",
    "after a colon": lambda text: f"to:{text},",
    "bytes": lambda text: text.encode(),
    "bytes of UTF-16": lambda text: text.encode("utf-16-le"),
    "the look of bytes": lambda text: repr(text.encode("ascii", "ignore")) + text,
    "deep down": lambda text: {"a": [{"b": (1, {"c": {text}})}]},
    "a key": lambda text: {text: 1},
    "an object": Stubborn,
    "a dataclass": Customer,
    "an exception": lambda text: ValueError("no", text),
    "a trace": raised,
    "JSON": lambda text: json.dumps({"a": [{"b": text}]}),
    "JSON in JSON": lambda text: json.dumps({"body": json.dumps({"b": [text]})}),
    "an address": lambda text: f"GET /orders/?{urlencode({'q': text})}&page=2",
    "an address twice encoded": lambda text: f"/login/?next={quote(quote_plus(f'/x/?q={text}'), safe='')}",
    "a path": lambda text: f"https://shop.local/customers/{quote(text, safe='')}/",
    "SQL": lambda text: f"INSERT INTO a (b) VALUES (5, '{text}') RETURNING id",
    "a refused row": lambda text: f"ERROR: null value\nDETAIL:  Failing row contains (12, {text}, Ivan, null).",
    "HTML": lambda text: f"<td>{text}</td>",
}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@EXAMPLES
@given(secret=recognised)
def test_what_has_the_look_of_a_secret_is_masked_wherever_it_stands(place: str, secret: str) -> None:
    assert not leaks(secret, shown(what=PLACES[place](secret)))


NAMED: dict[str, Callable[[str, str], Any]] = {
    "a value": lambda name, text: {name: text},
    "deep down": lambda name, text: {"a": ({"b": [{name: text}]},)},
    "bytes": lambda name, text: {"body": json.dumps({name: text}).encode()},
    "many": lambda name, text: {"a": {name: [text, text]}},
    "a list of headers": lambda name, text: {"headers": [(name, text), ("Accept", "*/*")]},
    "a field of a form": lambda name, text: {"fields": [{"name": name, "value": text}]},
    "JSON": lambda name, text: {"body": json.dumps({"a": {name: text}, "b": 1})},
    "JSON with plain letters": lambda name, text: {"body": json.dumps({name: text}, ensure_ascii=False)},
    "JSON in JSON": lambda name, text: {"body": json.dumps({"in": json.dumps({name: text}, ensure_ascii=False)})},
    "Python": lambda name, text: {"a": f"called with { ({name: text, 'b': 1})!r}"},
    "Python's pairs": lambda name, text: {"a": f"headers {[(name, text)]!r}"},
    "an argument": lambda name, text: {"a": f"call({name}={text!r}, b=1)"},
    "an exception": lambda name, text: {"a": ValueError({name: text})},
    "a trace": lambda name, text: {"a": raised(json.dumps({name: text}, ensure_ascii=False))},
    "an address": lambda name, text: {"request": f"POST /x/?{urlencode({'a': 1, name: text})}"},
    "an address in an address": lambda name, text: {
        "to": f"/in/?{urlencode({'next': '/x/?' + urlencode({name: text})})}"
    },
    "a cut line": lambda name, text: {"a": json.dumps({name: text}, ensure_ascii=False)[:-2]},
}


@pytest.mark.slow
@pytest.mark.parametrize("place", NAMED)
@EXAMPLES
@given(name=names, secret=nasty)
@example(name="password", secret='QZXJKV\\"789QZX')
@example(name="password", secret="{QZXJKV'789QZX")
def test_what_is_named_a_secret_is_masked_wherever_it_stands(place: str, name: str, secret: str) -> None:
    if place == "many" and name == "birthday":
        return
    assert not leaks(secret, shown(**NAMED[place](name, secret)))


BARE: dict[str, Callable[[str, str], str]] = {
    "name=value": lambda name, text: f"{name}={text} was wrong",
    "name: value": lambda name, text: f"{name}: {text}",
    "a header": lambda name, text: f"Host: x\r\n{name}: {text}\r\nAccept: y",
    "arrow": lambda name, text: f"'{name}' => {text}",
    "a command": lambda name, text: f"run --{name}={text} --verbose",
    "XML": lambda name, text: f"<{name}>{text}</{name}>",
    "a list": lambda name, text: f"{name}=[{text}, {text}] then",
    "Basic": lambda name, text: f"{name}: Basic {text}",
}


@pytest.mark.slow
@pytest.mark.parametrize("place", BARE)
@EXAMPLES
@given(name=st.sampled_from(NAMES), secret=tame)
def test_a_secret_without_quotes_is_masked_to_its_end(place: str, name: str, secret: str) -> None:
    assert not leaks(secret, shown(a=BARE[place](name, secret)))


@EXAMPLES
@given(password=st.text("QZXJKVW789:/@#?%", min_size=4, max_size=20).map(lambda text: f"Q{text}Q"))
@example(password="Q123/abc@Q")
def test_the_password_of_an_address_is_masked_however_it_is_written(password: str) -> None:
    line = shown(
        plain=f"connecting to postgres://samovar:{password}@db.internal:5432/shop",
        telegram=f"tgram://12345:{password}/chat",
        quoted=f"smtp://me:{quote(password, safe='')}@mail.example:25",
    )
    assert not leaks(password, line, piece=5)


@EXAMPLES
@given(secret=nasty.map(lambda text: f"{text}zz"))
def test_secrets_of_the_process_itself_are_masked_whatever_they_look_like(secret: str) -> None:
    before = masking._own_secrets
    masking.hide([secret, "short"])
    try:
        line = shown(a=f"x{secret}y", b=quote(secret, safe=""), c={"d": [secret]}, e="short")
    finally:
        masking._own_secrets = before
    assert secret not in json.loads(line)["a"]
    assert json.loads(line)["c"] == {"d": [MASK]}
    assert MASK in json.loads(line)["b"]
    assert json.loads(line)["e"] == "short"


@EXAMPLES
@given(
    word=recognised.filter(lambda text: " " not in text and "\u00a0" not in text),
    before=st.integers(LONGEST_TEXT - 90, LONGEST_TEXT + 10),
)
def test_a_long_text_is_not_cut_in_the_middle_of_a_secret(word: str, before: int) -> None:
    assert not leaks(word, mask_text("a " * (before // 2) + word), piece=8)


@EXAMPLES
@given(
    st.recursive(
        st.none() | st.text() | st.binary() | st.integers() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_is_logged_becomes_one_line_of_json(value: Any) -> None:
    line = mask_secrets(None, "info", {"event": value, "value": value})
    assert json.loads(json.dumps(line)).keys() == {"event", "value"}


@EXAMPLES
@given(st.text(min_size=0, max_size=400))
def test_a_masked_text_stays_as_it_is(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_an_object_without_words_does_not_stop_the_line() -> None:
    assert mask_secrets(None, "info", {"event": "x", "what": Broken()}) == {"event": "x", "what": MASK}


@pytest.mark.parametrize(
    "text",
    [
        "the select of a drink took 12 ms",
        'DETAIL:  Key (product_id)=(12) is not present in table "inventory_product".',
        "barcode 4607034370015, order 2026-000123, offer 7641234567",
        "posting 12345678-0001-1 of account 0193e1a2-7c1d-7000-8000-3f2a11c0ffee",
        "E-mail: the server refuses what we send",
        "phone and password are needed; login failed",
        "http://localhost:8000/orders/?page=2",
        "{'product': 12, 'keys': ['a', 'b'], 'spinning': 'top'}",
        'File "/srv/samovar/orders/services/placing.py", line 57, in place_order',
        "[2026-11-22 06:33:34 +0000] worker 1234567 of 192.168.100.200",
        "took 0.123456789 s, 1 000 000 rows",
        "add host_key=SHA256:7TIFLyhAex1UOVsKBDK2m53rEDm1zSN+FgpHcBEorBM to its address",
        "the server shows the key SHA256:vhJ/AEwZF/3GKga+mJVvkd9MVm95wTLIHRyOo3Dj6WQ, which is not known",
    ],
)
def test_what_helps_to_find_a_mistake_is_left(text: str) -> None:
    assert mask_text(text) == text


def test_an_exception_says_the_function_of_ours_it_came_out_of() -> None:
    def ask() -> None:
        json.loads("{")

    try:
        ask()
    except ValueError as error:
        event = add_error_place(None, "error", {"event": "it failed", "exc_info": error})
    assert event["error_at"] == "tests/foundation/test_masking_attacks.py ask"
    assert "error_at" not in add_error_place(None, "info", {"event": "fine"})
