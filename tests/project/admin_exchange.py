"""The doors that import and export spreadsheets: for managers, one pair of pages for each list.

`{kept}` is a file that the person has handed in, `{not_theirs}` one that somebody else has.
"""

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from inventory.services.exchange import hand_in
from tests.project.admin_doors import MANAGERS, NOBODY, Attempt, Body, Keys, deed, page

PRICES = b"name,price\nLatte,99.00\n"


def file(subject: str, text: bytes) -> Body:
    """A file that is handed in."""
    return lambda it: {"subject": subject, "file": SimpleUploadedFile("shop.csv", text)}


def confirmation(key: str) -> Body:
    """What confirms the preview of a file of prices."""

    def body(it: Keys) -> dict[str, Any]:
        return {"subject": "products", "kept": it[key], "once": "0" * 32}

    return body


def handed_in(user_id: int) -> Any:
    """The id of a file of prices that this person has looked at."""
    return hand_in(subject="products", file_name="prices.csv", content=PRICES, user_id=user_id).file_id


def exchange(root: str, **files: bytes) -> list[list[Attempt]]:
    """The pages of a list, for each kind of file that belongs to it."""
    door, exports = f"inventory/{root}/import/", f"inventory/{root}/export/"
    deeds = [
        deed(door, MANAGERS, f"look at {name.replace('_', '-')}", file(name.replace("_", "-"), text))
        for name, text in files.items()
    ]
    downloads = [download(f"{exports}?subject={name.replace('_', '-')}&format=xlsx") for name in files]
    return [page(door, MANAGERS, *deeds), download(exports), *downloads]


def download(address: str) -> list[Attempt]:
    return page(address, MANAGERS, Attempt(address=address, may=MANAGERS, method="POST", then=405))


FILES: Mapping[str, Mapping[str, bytes]] = {
    "category": {"categories": b"name,position\nCoffee,3\n"},
    "ingredient": {"ingredients": b"name,unit\nHoney,g\n"},
    "optiongroup": {
        "option_groups": b"name\nIce\n",
        "options": b"group,name\nSize,Huge\n",
        "option_effects": b"group,option,kind,ingredient,quantity\nSize,Tiny,add,Milk,5\n",
    },
    "product": {"products": PRICES, "recipes": b"product,ingredient,quantity\nLatte,Milk,180\n"},
}
PRODUCTS = "inventory/product/import/"
EXCHANGE: list[Any] = [
    *(row for root, files in FILES.items() for row in exchange(root, **files)),
    deed(PRODUCTS, MANAGERS, "import the file", confirmation("kept"), then="inventory/product/"),
    deed(PRODUCTS, NOBODY, "import somebody else's file", confirmation("not_theirs"), see=MANAGERS),
]
