"""What goes wrong on demand: rules for the next answers of some paths."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from marketplaces.standin.messages import Answer, Request

HTML = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(slots=True)
class Rule:
    """What happens to the next `times` (0: to all) requests whose path contains `path`, a regular expression.

    Without `status`, `html` and `cut="before"` the request is carried out and its answer changed; with one of them it
    is carried out only if `is_applied`: the answer is lost, the deed is done.

    Args:
        skip: so many requests go through first.
        body: what is said instead; a str or JSON.
        delay: seconds before the answer.
        cut: "before": the connection ends without a word; "middle": in the middle of the answer's body.
        truncate: the JSON ends in the middle, and the answer says that it is complete.
        drop: a field that is left out, "order.lineItems"; of every entry of a list on the way.
        put: fields that are set, {"status": "NEVER_SEEN"}; as `drop`.
        as_text: a number that is told as a text.
    """

    path: str
    method: str = ""
    times: int = 1
    skip: int = 0
    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: str = ""
    html: bool = False
    truncate: bool = False
    drop: str = ""
    put: dict[str, Any] = field(default_factory=dict)
    as_text: str = ""
    is_applied: bool = False
    hits: int = 0

    def matches(self, request: Request) -> bool:
        return (not self.method or self.method == request.method) and bool(re.search(self.path, request.path))

    @property
    def stands_in_the_way(self) -> bool:
        return bool(self.status or self.html or self.cut == "before") and not self.is_applied


class Misbehaviour:
    """The rules in the order in which they were given; the first that fits is used."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        re.compile(rule.path)
        self.rules.append(rule)

    def clear(self) -> None:
        self.rules.clear()

    def take(self, request: Request) -> Rule | None:
        """Returns the rule for this request and counts it."""
        for rule in self.rules:
            if rule.matches(request):
                if rule.skip:
                    rule.skip -= 1
                    return None
                rule.hits += 1
                if rule.times and rule.hits >= rule.times:
                    self.rules.remove(rule)
                return rule
        return None


def answer_with(rule: Rule | None, request: Request, carry_out: Callable[[Request], Answer]) -> Answer:
    """Returns the answer that the rule makes of this request."""
    if rule is None:
        return carry_out(request)
    answer = Answer() if rule.stands_in_the_way else carry_out(request)
    if rule.status or rule.html:
        answer = Answer(rule.status or 502, rule.body)
    if rule.html:
        answer.data, answer.media = HTML, "text/html"
    elif isinstance(rule.body, str):
        answer.data, answer.media = rule.body, "text/plain"
    elif rule.body is not None:
        answer.data = rule.body
    if rule.drop or rule.put or rule.as_text:
        answer.data = bent(answer.data, rule)
    if rule.truncate:
        body = answer.body()
        answer.data = body[: len(body) // 2]
    answer.headers = answer.headers | rule.headers
    answer.delay, answer.cut = rule.delay, rule.cut
    return answer


def bent(data: Any, rule: Rule) -> Any:
    """Returns the answer's JSON with its fields dropped, set or turned into text."""
    data = copy.deepcopy(json.loads(data) if isinstance(data, bytes) else data)
    if rule.drop:
        for parent, name in places(data, rule.drop):
            parent.pop(name, None)
    for path, value in rule.put.items():
        for parent, name in places(data, path):
            parent[name] = value
    if rule.as_text:
        for parent, name in places(data, rule.as_text):
            if name in parent:
                parent[name] = str(parent[name])
    return data


def places(data: Any, path: str) -> list[tuple[dict[str, Any], str]]:
    """Returns the objects that hold what `path` names, and its name in them; lists on the way are gone through."""
    *way, name = path.split(".")
    found = [data]
    for step in way:
        found = [entry[step] for entry in opened(found) if isinstance(entry, dict) and step in entry]
    return [(entry, name) for entry in opened(found) if isinstance(entry, dict)]


def opened(entries: list[Any]) -> list[Any]:
    """Lists replaced by what is in them."""
    result: list[Any] = []
    for entry in entries:
        result += opened(entry) if isinstance(entry, list) else [entry]
    return result
