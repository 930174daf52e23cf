"""What no text for logs may show: secrets, and what says who somebody is. Knows nothing of Django.

Three things find them: the secrets that this process holds itself, the names that stand before values, and the look of
what has one: tokens, e-mails, phones, cards, bank accounts. A person's name in the middle of a sentence has neither;
what is logged therefore names people by their keys.
"""

import html
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote

MASK = "[masked]"
# A line longer than this is no line for a person, and masking it would cost time.
LONGEST_TEXT = 50_000
# Of the end of a text that was cut: half a token has not the look of one any more.
LONGEST_WORD = 500
SHORTEST_OWN_SECRET = 8

SENSITIVE_NAME = (
    r"authorization|passw(?:or)?d|passphrase|passcode|secret|token|credential|cookie|csrf|signature|jwt"
    r"|(?:api|access|private|encryption|session|backup)[ _-]?keys?|session[_-]?id"
    r"|(?:recovery|setup|verification|confirmation)[ _-]?code"
    r"|(?<![a-z])(?:pin|otp|cvv2?|cvc2?|pwd|dsn)(?![a-z])|парол|hasło"
)
# Who somebody is. Of a name, since products have names too, only if it says that it is a person's.
PERSONS_NAME = (
    r"(?:first|last|middle|full|sur|customer|client|buyer|recipient|receiver|sender|guest|employee|contact|person"
    r"|cardholder|holder)[ _-]?name|patronymic"
)
PERSONAL_NAME = (
    rf"{PERSONS_NAME}|e-?mail|phone|mobile|birth|passport|pesel|card[ _-]?number|chat[_-]?id"
    r"|(?:home|delivery|shipping|postal|billing|customer|buyer)[ _-]?address|street|(?:post|zip)[ _-]?code"
    r"|(?<![a-z])(?:tel|nip|inn|snils|ssn|iban|login)(?![a-z])|(?<![а-я])(?:инн|снилс|телефон|фамилия|отчество)(?![а-я])"
)

# Without one of these none of the names is there, which is quicker to see.
HINTS = (
    *(
        "author",
        "pass",
        "secret",
        "token",
        "credential",
        "cookie",
        "csrf",
        "signature",
        "jwt",
        "key",
        "session",
        "code",
    ),
    *("pin", "otp", "cv", "pwd", "dsn", "парол", "hasło", "name", "patronymic", "mail", "phone", "mobile", "birth"),
    *("pesel", "card", "chat", "address", "street", "tel", "nip", "inn", "snils", "ssn", "iban", "login", "инн"),
    *("снилс", "телефон", "фамилия", "отчество"),
)

sensitive_name = re.compile(SENSITIVE_NAME, re.IGNORECASE)
personal_name = re.compile(PERSONAL_NAME, re.IGNORECASE)
persons_name = re.compile(PERSONS_NAME, re.IGNORECASE)

# What people put between the digits of a number, hard spaces and hyphens included.
GAP = r"[ \t\u00a0\u2009\u202f().+/\u2010-\u2015-]"
SPACE = r"[ \t\u00a0\u2009\u202f\u2010-\u2015-]"
ALONE = r"(?<![\w.-])"
END = r"(?![\w-])"

# `name=`, `"name": `, `\"name\":\"`, `('name', `, `"name": "password", "value": `, `<name>`. Bounded, so that a hostile
# text costs no more than a long one.
NAMED = re.compile(
    rf"""(?P<name>(?:(?P<sensitive>{SENSITIVE_NAME})|{PERSONAL_NAME})[\w.-]{{0,40}})
         (?P<sign>
             (?:\\{{0,8}}["'\]]){{0,2}} [ \t]{{0,3}} (?:=>|[:=]) [ \t]{{0,3}}
           | \\{{0,8}}["'] [ \t]{{0,3}} , [ \t]{{0,3}} (?=[bru]?\\{{0,8}}["'])
           | \\{{0,8}}["'] [ \t]{{0,3}} ,? [ \t]{{0,3}} (?:\\{{0,8}}["'])? value
             (?:\\{{0,8}}["'])? [ \t]{{0,3}} [:=] [ \t]{{0,3}}
           | >
         )""",
    re.IGNORECASE | re.VERBOSE,
)
QUOTED = re.compile(r"""[bru]?(?P<escape>\\*)(?P<quote>["'])""", re.IGNORECASE)
# A scheme goes with its token; after ">" a value ends at the next tag.
BARE = re.compile(r"""(?:(?:token|bearer|basic)[ \t]+)?[^\s&,;"'\])}<]+""", re.IGNORECASE)
BRACKETS = re.compile(r"""[\[\](){}]""")

IDS = re.compile(r"\w*id(?:, \w*id)*")
# Statements with their values in them; only shouted words, for prose speaks of selecting too.
STATEMENT = re.compile(r"\b(?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|VALUES|WHERE)\b")
LITERAL = re.compile(r"'(?:[^']|'')*(?:'|\Z)")

UUID = r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
UUID_OR_CARD = re.compile(
    rf"{UUID}"
    rf"|(?<![\d.])(?P<card>\d{{4}}(?:{GAP}?\d){{10,15}})(?!\d)"
    rf"|(?<!\d)(?P<account>\d{{2}}(?:{SPACE}?\d{{4}}){{6}})(?!\d)"
)
# ISO 13616: a country, two check digits, up to 30 letters and digits, written in groups of four.
IBAN = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z]{{2}}\d{{2}}(?:{SPACE}?[A-Za-z0-9]){{11,30}}(?![A-Za-z0-9])")
# What a card number begins with, by its length: https://en.wikipedia.org/wiki/Payment_card_number
CARD = re.compile(
    r"(?:4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|220[0-4]\d{12,15}|3[47]\d{13}"
    r"|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|5\d\d|4[4-9]\d)\d{12}|6[02]\d{14,17}|8[16]\d{14}|5[06-8]\d{14,17}|9792\d{12})"
)

# Long, of small and capital letters and digits: nobody's word. The fingerprint of a server's key is public, and has to
# be compared: as `ssh-keygen -l` prints it.
LONG_WORD = re.compile(
    r"\bSHA256:[A-Za-z0-9+/]{43}(?![\w+/=-])"
    r"|(?P<secret>(?<![\w+=-])(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])(?=[\w+=-]*\d)[A-Za-z0-9_+=-]{32,}(?![\w+=-]))"
)

# A letter written as its number; no control sign, and no half of one.
ESCAPED = re.compile(r"\\+(?:u(?!00[01]|d[89a-fA-F])([0-9a-fA-F]{4})|x([2-7][0-9a-fA-F]|a0))", re.IGNORECASE)
PARAMETER = re.compile(r"(?<![^?&;])([^=&?;]{1,200})=([^&?;]+)")

Replacement = str | Callable[[re.Match[str]], str]
PATTERNS: tuple[tuple[re.Pattern[str], Replacement], ...] = (
    # A whole header, whatever its value is made of.
    (re.compile(r"(?im)^([ \t>]*(?:set-)?cookie2?|[ \t>]*(?:proxy-)?authorization)[ \t]*:[^\r\n]+"), rf"\1: {MASK}"),
    (re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.S), MASK),
    # postgres://user:password@host, redis://:password@host, https://token@host; "host:8000/…@…" is none.
    (re.compile(r"""(://[^\s:/@"'<>]{0,100}):(?!\d{1,5}(?:[/?\#\s]|\Z))[^\s"'<>]{1,300}@"""), rf"\1:{MASK}@"),
    (re.compile(r"://[\w.~%+-]{16,300}@"), f"://{MASK}@"),
    # What other programs make messages from: tgram://token/chat, twilio://sid:token@from/to
    (
        re.compile(
            r"\b(?!(?:https?|postgres(?:ql)?|rediss?|amqps?|file(?:mail)?|s3|sftp|wss?|unix|smtp(?:\+\w+)?|memory)://)"
            r"([a-z][a-z0-9+.-]{1,30}://)[^\s\"'<>]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # Telegram's bot tokens, in an address too: https://core.telegram.org/bots/api#authorizing-your-bot
    (re.compile(r"(?<!\d)\d{5,12}:(?:AA[\w-]{10,}|[\w-]{25,})"), MASK),
    (re.compile(r"(hooks\.slack\.com/|/api/webhooks/|/webhook/)[^\s\"'<>]+"), rf"\1{MASK}"),
    (re.compile(r"\b(token|bearer|basic)[ \t]+[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1 {MASK}"),
    # Fernet, JSON web tokens, stored passwords, keys of well-known services, digests and tokens in hexadecimal
    (re.compile(r"gAAAAA[\w=-]{20,}"), MASK),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]{0,3000})?"), MASK),
    (re.compile(r"\b(?:pbkdf2_\w+|argon2\w*|bcrypt\w*|scrypt|md5)\$[^\s\"']+"), MASK),
    (
        re.compile(
            r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bgh[pousr]_\w{20,}|\bxox[a-z]-[\w-]{10,}|\b[sr]k_(?:live|test)_\w{10,}"
        ),
        MASK,
    ),
    (re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{40,}(?![0-9a-fA-F])"), MASK),
    # What a link from a mail opens something with: …/password/reset/key/1-c8x…/, …/confirm-email/MQ:1vM…/
    (re.compile(r"(/(?:key|confirm-email)/)[\w:.%-]{12,500}"), rf"\1{MASK}"),
    (re.compile(r"\w[\w.+'~-]{0,63}@(?:[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|\[[\w.:]{3,45}\])"), MASK),
    # What PostgreSQL says of a row that it refuses, and of a statement's parameters.
    (re.compile(r"(Failing row contains )\([^\r\n]*"), rf"\1({MASK})"),
    (re.compile(r"(Key \()([^()\r\n]{1,200})(\)=\()([^\r\n]*?)(\)(?= |\.|$|\n))"), lambda match: key_of(match)),
    (re.compile(r"(\$\d{1,5} = )'(?:[^']|'')*(?:'|\Z)"), rf"\1'{MASK}'"),
    (re.compile(r"(; args=)\([^\r\n]*?(\); alias=|$)"), rf"\1({MASK}\2"),
    # +66 81 234 5678; 0066812345678
    (re.compile(rf"\+\d(?:{GAP}{{0,3}}\d){{8,13}}"), MASK),
    (re.compile(rf"{ALONE}00\d{{9,13}}{END}"), MASK),
    # 0812345678, 89161234567, 8 (916) 123-45-67, 081-234-5678, 501 234 567; never inside a longer number, UUID or word
    (re.compile(rf"{ALONE}(?:0\d{{8,9}}|[78]\d{{10}}){END}"), MASK),
    (re.compile(rf"{ALONE}[78]{GAP}{{0,2}}\d{{3}}{GAP}{{0,2}}\d{{3}}{GAP}?\d{{2}}{GAP}?\d{{2}}{END}"), MASK),
    (re.compile(rf"{ALONE}0\d{{1,2}}{SPACE}\d{{3}}{SPACE}\d{{3,4}}{END}"), MASK),
    (re.compile(rf"{ALONE}\d{{3}}{SPACE}\d{{3}}{SPACE}\d{{3}}{END}"), MASK),
    (re.compile(rf"{ALONE}\(\d{{2}}\){SPACE}?\d{{3}}{SPACE}\d{{2}}{SPACE}\d{{2}}{END}"), MASK),
    # A Polish tax number as it is written; a Russian insurance number
    (re.compile(rf"{ALONE}(?:PL)?\d{{3}}-(?:\d{{3}}-\d{{2}}-\d{{2}}|\d{{2}}-\d{{2}}-\d{{3}}){END}"), MASK),
    (re.compile(rf"{ALONE}PL{SPACE}?\d{{10}}{END}"), MASK),
    (re.compile(rf"{ALONE}\d{{3}}-\d{{3}}-\d{{3}}[ -]\d{{2}}{END}"), MASK),
    (re.compile(r"\b((?:nip|pesel|inn|snils|инн|снилс)[ \t]{1,3})\d[\d -]{8,13}\d", re.IGNORECASE), rf"\1{MASK}"),
    (UUID_OR_CARD, lambda match: card_of(match)),
    (IBAN, lambda match: account_of(match[0])),
    (LONG_WORD, lambda match: MASK if match["secret"] else match[0]),
)

# Of most values: the name of an event or a logger, a request's id.
HARMLESS = re.compile(rf"[a-z][a-z_.]{{0,80}}|{UUID}")

_own_secrets: re.Pattern[str] | None = None


def hide(secrets: Iterable[str]) -> None:
    """Has these very values masked wherever they stand, whatever they look like; short ones would hide common words."""
    global _own_secrets
    found = {secret for secret in secrets if len(secret) >= SHORTEST_OWN_SECRET}
    spellings = sorted(found | {quote(secret, safe="") for secret in found}, key=len, reverse=True)
    _own_secrets = re.compile("|".join(map(re.escape, spellings))) if spellings else None


def mask_text(text: str) -> str:
    """The text with what it must not show replaced by [masked], also where it is percent-encoded or escaped."""
    if HARMLESS.fullmatch(text) and not (_own_secrets and _own_secrets.search(text)):
        return text
    if len(text) > LONGEST_TEXT:
        whole = len(text)
        kept = text[:LONGEST_TEXT]
        word = re.search(rf"\S{{1,{LONGEST_WORD}}}\Z", kept)
        text = f"{kept[: word.start()] if word else kept}… ({whole} characters)"
    text = plain_spelling(text)
    if "%" in text:
        text = re.sub(r"""[^\s"'<>]+""", mask_encoded, text)
    return mask_plain(text)


def plain_spelling(text: str) -> str:
    r"""\u0040, \x40 and &quot; as the characters that they stand for; without the NULs of UTF-16."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if "\\u" in text or "\\x" in text:
        text = ESCAPED.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
    if "&" in text:
        text = re.sub(r"&(?:quot|amp|lt|gt|#\d{2,3}|#x[0-9a-fA-F]{2});", lambda match: html.unescape(match[0]), text)
    return text


def mask_encoded(word: re.Match[str]) -> str:
    """A percent-encoded word, decoded if something in it must be masked; as it was if not."""
    shown = level = mask_parameters(word[0])
    for _times in range(4):
        decoded = unquote(level)
        if decoded == level:
            break
        # What an address holds between two "&" is one value, whatever is in it once it is decoded.
        level = mask_named(mask_parameters(decoded)) if "%" in decoded else decoded
        if level != decoded:
            shown = level
    masked = mask_plain(level)
    return shown if masked == level else masked


def mask_parameters(text: str) -> str:
    """Masks the values of encoded parameters whose names, encoded or not, say what they are."""
    return PARAMETER.sub(lambda match: f"{match[1]}={MASK}" if tells_of_a_secret(unquote(match[1])) else match[0], text)


def tells_of_a_secret(name: str) -> bool:
    """Whether the name of a value says that it is secret, or somebody's."""
    return bool(sensitive_name.search(name) or personal_name.search(name))


def mask_plain(text: str) -> str:
    if _own_secrets is not None:
        text = _own_secrets.sub(MASK, text)
    text = mask_named(text)
    statement = STATEMENT.search(text)
    if statement:
        text = text[: statement.start()] + LITERAL.sub(f"'{MASK}'", text[statement.start() :])
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def mask_named(text: str) -> str:
    """Masks values whose names say what they are: to the closing quote or bracket, or to the end of the word."""
    lowered = text.lower()
    if not any(hint in lowered for hint in HINTS):
        return text
    pieces, at = [], 0
    while match := NAMED.search(text, at):
        start = match.end()
        end = end_of_value(text, start, match)
        pieces += [text[at:start], MASK if end > start else ""]
        at = max(end, start)
    return "".join([*pieces, text[at:]]) if pieces else text


def end_of_value(text: str, start: int, name: re.Match[str]) -> int:
    """Where the value that begins at `start` ends; `start` itself if it is none, or says nothing about anybody."""
    if name["sign"] == ">":
        return next((at for at in [text.find("<", start)] if at >= 0), len(text))
    if quoted := QUOTED.match(text, start):
        # The same quote with as many backslashes before it, and no more.
        closing = re.compile(rf"(?<!\\){re.escape(quoted['escape'] + quoted['quote'])}")
        found = closing.search(text, quoted.end())
        return found.end() if found else len(text)
    if text[start : start + 1] in ("[", "(", "{"):
        return end_of_brackets(text, start) if name["sensitive"] else start
    bare = BARE.match(text, start)
    if bare is None or bare[0].startswith(MASK[:-1]):
        return start
    # "E-mail: the server refuses" is a sentence.
    is_sentence = not name["sensitive"] and "=" not in name["sign"] and not any(map(str.isdigit, bare[0]))
    return start if is_sentence and not persons_name.match(name["name"]) else bare.end()


def end_of_brackets(text: str, start: int) -> int:
    depth = 0
    for bracket in BRACKETS.finditer(text, start):
        depth += 1 if bracket[0] in "[({" else -1
        if depth == 0:
            return bracket.end()
    return len(text)


def key_of(match: re.Match[str]) -> str:
    """Key (customer_id)=(12) helps to find a mistake; Key (name, phone)=(…) says who it was."""
    return match[0] if IDS.fullmatch(match[2]) else f"{match[1]}{match[2]}{match[3]}{MASK}{match[5]}"


def card_of(match: re.Match[str]) -> str:
    if match["card"]:
        digits = re.sub(r"\D", "", match["card"])
        return MASK if CARD.fullmatch(digits) and has_check_digit(digits) else match[0]
    if match["account"]:
        return MASK if is_iban("PL" + match["account"]) else match[0]
    return match[0]


def account_of(text: str) -> str:
    """The account's number masked; what follows it may have been words."""
    ends = [*(match.start() for match in re.finditer(SPACE, text)), len(text)]
    end = next((end for end in reversed(ends) if is_iban(text[:end])), 0)
    return MASK + text[end:] if end else text


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is the one of Luhn's formula (ISO/IEC 7812-1, annex B)."""
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[0::2]) + sum(sum(divmod(2 * number, 10)) for number in numbers[1::2])) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616, by ISO 7064 MOD 97-10)."""
    plain = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1
