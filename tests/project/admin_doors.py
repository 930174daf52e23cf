"""What the table of admin doors is written with: attempts, who may, and what everybody else gets.

An attempt is one request to one address under /admin/. `{latte}` in it, and `it["latte"]` in a body, is the key
of an object of tests/project/admin_premises.py.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

ROLES = ("anonymous", "customer", "barista", "manager", "admin")
Roles = frozenset[str]
NOBODY: Roles = frozenset()
ADMINS: Roles = frozenset({"admin"})
MANAGERS: Roles = ADMINS | {"manager"}
STAFF: Roles = MANAGERS | {"barista"}
EVERYBODY: Roles = frozenset(ROLES)

Keys = Mapping[str, Any]
Body = Callable[[Keys], dict[str, Any]]
# A status, or the address under /admin/ that somebody is sent to; "*" in it stands for a key not known before.
Answer = int | str

LOGIN: Answer = "the login"
# The same page again, with nothing done.
HERE: Answer = "here"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A request, and what becomes of it.

    The roles of `may` get `then`; what they send with `does` changes something. The roles of `see` may look at
    the page without doing this: they get HERE. All others get `refused`, those from outside `outside`.
    """

    address: str
    may: Roles
    method: Literal["GET", "POST"] = "GET"
    does: str = ""
    body: Body = lambda it: {}
    is_json: bool = False
    then: Answer = 200
    see: Roles = NOBODY
    refused: Answer = 403
    outside: Answer = LOGIN

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, f"/admin/{self.address}", self.does)))

    def answer_to(self, role: str) -> Answer:
        """What the role gets."""
        if role in self.may:
            return self.then
        if role in self.see:
            return HERE
        return self.refused if role in STAFF else self.outside

    def changes_for(self, role: str) -> bool:
        return role in self.may and bool(self.does)


def page(address: str, see: Roles, *posts: Attempt, post: int | None = None, **answers: Any) -> list[Attempt]:
    """A page, those who see it, and what is done by POST to it.

    A page to which nothing is sent gets a POST all the same, and nothing changes: it answers as to GET, or with
    the status `post` to everybody who works here.
    """
    look = Attempt(address=address, may=see, **answers)
    if post is not None:
        posts = (closed(address, post),)
    if not posts:
        posts = (Attempt(address=address, may=see, method="POST", body=lambda it: {"post": "yes"}, **answers),)
    return [look, *posts]


def asks(address: str, may: Roles, body: Body) -> list[Attempt]:
    """A question that a page's script sends by POST; it changes nothing, and is no page to look at."""
    question = Attempt(address=address, may=may, method="POST", body=body, is_json=True)
    return page(address, NOBODY, question, refused=405)


def closed(address: str, refused: Answer = 403) -> Attempt:
    """A POST that nobody may send."""
    return Attempt(address=address, may=NOBODY, method="POST", body=lambda it: {"post": "yes"}, refused=refused)


def deed(address: str, may: Roles, does: str, body: Body | None = None, **answers: Any) -> Attempt:
    """A POST that changes something for those who may."""
    return Attempt(address=address, may=may, method="POST", does=does, body=body or (lambda it: {}), **answers)


def action(address: str, may: Roles, name: str, chosen: str, see: Roles = STAFF, **more: str) -> Attempt:
    """An action of a list, on the object whose key is `chosen`."""

    def body(it: Keys) -> dict[str, Any]:
        return {"action": name, "_selected_action": [it[chosen]], **more}

    return deed(address, may, name, body, then=address, see=see - may)


def records(
    root: str,
    key: str,
    *,
    see: Roles,
    add: Roles = NOBODY,
    change: Roles = NOBODY,
    delete: Roles = NOBODY,
    form: Body | None = None,
    spare: str = "",
    without: Collection[str] = (),
    added: Answer | None = None,
    changed: Answer | None = None,
) -> list[Attempt]:
    """The pages that Django makes for a model: list, add, change, history, delete, and an old address of "change".

    `key` names a record, `spare` one that nothing stands in the way of deleting, `form` what makes a new one or
    changes that one, `added` and `changed` what comes after it instead of the list. The pages that `without`
    names have rows of their own, and so have a list's own actions.
    """
    listed, one, doomed = f"{root}/", f"{root}/{{{key}}}/", f"{root}/{{{spare or key}}}/delete/"
    sure: Body = lambda it: {"post": "yes"}  # noqa: E731
    pages = {
        "list": page(listed, see, action(listed, delete, "delete_selected", spare or key, see, post="yes")),
        "add": page(f"{root}/add/", add, deed(f"{root}/add/", add, "add", form, then=added or listed)),
        "change": page(f"{one}change/", see, deed(f"{one}change/", change, "change", form, then=changed or listed)),
        "history": page(f"{one}history/", see),
        "delete": page(doomed, delete, deed(doomed, delete, "delete", sure, then=listed)),
        "old": page(one, STAFF, then=f"{one}change/"),
    }
    return [attempt for name, rows in pages.items() if name not in without for attempt in rows]


def verb(address: str, may: Roles, name: str, body: Body | None = None, *, asks: bool = False) -> list[Attempt]:
    """A button of an object's page. One that asks first has a page; the others lead back to the object's."""
    door, back = f"{address}verb/{name}/", f"{address}change/"
    return page(door, may, deed(door, may, name, body, then=back), then=200 if asks else back)


def lines(prefix: str, *rows: dict[str, Any]) -> dict[str, Any]:
    """What a browser sends for the rows of an inline or a formset."""
    fields = {f"{prefix}-{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}
    return {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0, **fields}
