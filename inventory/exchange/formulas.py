"""Texts that a spreadsheet would take for a formula: written so that it does not, and read back as they were.

A name may be "=cmd|…" or "-20 %". An apostrophe before it makes it text. Whoever reads the file again must know a
text that had the apostrophe itself, so that one gets another: `=x` ↔ `'=x`, `'=x` ↔ `''=x`.
See https://owasp.org/www-community/attacks/CSV_Injection.
"""

import re

BEGINNINGS = r"[=+\-@\t\r\n＝＋－＠]"
FORMULA = re.compile(rf"'*{BEGINNINGS}")
ESCAPED = re.compile(rf"'+{BEGINNINGS}")


def for_csv(text: str) -> str:
    """The text for a CSV file, in which every cell that looks like a formula becomes one."""
    return f"'{text}" if FORMULA.match(text) else text


def for_workbook(text: str) -> str:
    """The text for a workbook, whose cells say that they are text: only an apostrophe of its own is escaped."""
    return f"'{text}" if ESCAPED.match(text) else text


def looks_like_formula(text: str) -> bool:
    return FORMULA.match(text) is not None


def as_meant(text: str) -> str:
    """The text that `for_csv` or `for_workbook` was given."""
    return text[1:] if ESCAPED.match(text) else text
