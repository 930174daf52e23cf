"""Statements without the values in them: names, phone numbers and passwords stand there as people wrote them.

psycopg2 puts values into a statement before it sends it, so pg_stat_activity shows them; pg_stat_statements writes $1
in their place, but not in every statement. How PostgreSQL reads a text:
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

import re

MASK = "?"
CUT = "…"

TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\* )
    | (?P<value>
          [eE]'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)            # E'it\'s': only here a backslash hides a quote
        | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|\Z)      # also without its end: the server cuts long statements
        | \$\$.*?(?:\$\$|\Z)
        | \$(?P<tag>[^\W\d]\w*)\$.*?(?:\$(?P=tag)\$|\Z)
        | (?:\d|\.\d)[\w.]*(?:(?<=[eE])[+-]\d+)?
      )
    | (?P<kept>
          "(?:[^"]|"")*"                                  # a name
        | \$\d+                                           # a place for a value
        | [^\W\d][\w$]*
        | \s+
        | [^\s"]
      )
    """,
    re.VERBOSE | re.DOTALL,
)
COMMENT_MARK = re.compile(r"/\*|\*/")
# IN (?, ?, ?) says no more than IN (?, …), and takes pages.
REPEATED = re.compile(r"\?(?:, ?\?)+")


def masked(statement: str, length: int = 1000) -> str:
    """The statement in one line, every value and comment taken out, no longer than so many characters."""
    parts, place = [], 0
    while found := TOKEN.match(statement, place):
        place = found.end()
        if found["kept"]:
            parts.append(found["kept"])
        elif found["value"]:
            parts.append(MASK)
        elif found["comment"] == "/*":
            place = end_of_comment(statement, place)
    # What is left is a name that was cut.
    text = REPEATED.sub(f"{MASK}, {CUT}", " ".join("".join(parts).split()))
    return text if len(text) <= length else text[: length - 1] + CUT


def end_of_comment(statement: str, place: int) -> int:
    """Where the comment ends that was opened before `place`: in PostgreSQL one may stand within another."""
    depth = 1
    while depth and (mark := COMMENT_MARK.search(statement, place)):
        depth += 1 if mark[0] == "/*" else -1
        place = mark.end()
    return len(statement) if depth else place
