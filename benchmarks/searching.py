"""Finding one of a hundred thousand products, in English and Russian, mistyped words included."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import quantiles
from typing import Any

from django.db import connection

from inventory.models import Category, Product
from inventory.search import find_on_menu

PRODUCTS = 100_000
AIM = 30
BATCH = 5_000


def words(text: str) -> list[str]:
    return text.split()


# What many products are called, and what few are: as in a shop, a few words stand nearly everywhere.
COMMON = words("tea milk latte green black bubble sugar fresh чай молоко латте зелёный чёрный сахар")
USUAL = words(
    "matcha oolong jasmine caramel hazelnut vanilla honey lemon mango passion peach cappuccino espresso chocolate "
    "cinnamon ginger raspberry strawberry coconut pistachio матча улун жасмин карамель фундук ваниль мёд лимон манго "
    "персик капучино эспрессо шоколад корица имбирь малина клубника кокос фисташка пирожное"
)
SYLLABLES = words(
    "ba be bo ca co da de do fa fi ga go ka ki la le li lo ma me mi mo na ne no pa po ra re ri ro sa se so"
)
SLOGI = words(
    "ба бе бо ва ве га го да де до ка ке ки ла ле ли ло ма ме ми мо на не но па по ра ре ри ро са се со та те"
)
LETTERS = {True: "abcdefghijklmnopqrstuvwxyz", False: "абвгдежзиклмнопрстуфхцчшщыэюя"}


def names(chance: random.Random, syllables: Sequence[str], number: int) -> list[str]:
    """Words that nobody has ever heard: of producers, of sorts."""
    return ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(number)]


class Shelf:
    """The words that products are made of, the same in every run."""

    def __init__(self) -> None:
        self.chance = random.Random(7)
        self.rare = names(self.chance, SYLLABLES, 6_000) + names(self.chance, SLOGI, 6_000)

    def product(self, number: int, category: Category) -> Product:
        chance = self.chance
        words = [chance.choice(self.rare), chance.choice(USUAL), *chance.sample(COMMON, chance.randint(0, 2))]
        description = chance.choices(self.rare, k=6) + chance.choices(USUAL, k=4) + chance.choices(COMMON, k=4)
        return Product(
            category=category,
            name=f"{' '.join(words).capitalize()} {number}",
            description=" ".join(description),
            price=50,
        )


def fill(number: int = PRODUCTS) -> Shelf:
    """Writes the products; the triggers write their words."""
    shelf = Shelf()
    categories = [
        Category.objects.create(name=f"{word.capitalize()} {place}", position=place)
        for place, word in enumerate((*COMMON, *USUAL))
    ]
    for start in range(0, number, BATCH):
        Product.objects.bulk_create(
            [shelf.product(one, shelf.chance.choice(categories)) for one in range(start, min(start + BATCH, number))]
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE inventory_product, inventory_productwords, inventory_knownword")
    return shelf


def mistyped(word: str, chance: random.Random) -> str:
    """The word with one letter wrong, missing, doubled, or in its neighbour's place."""
    place = chance.randrange(1, len(word) - 1)
    letter = chance.choice(LETTERS[word.isascii()])
    return chance.choice(
        [
            word[:place] + letter + word[place + 1 :],
            word[:place] + word[place + 1 :],
            word[:place] + word[place] + word[place:],
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        ]
    )


def texts(shelf: Shelf, number: int) -> Iterator[tuple[str, list[str]]]:
    """What people type, by kind."""
    chance = random.Random(11)
    long = [word for word in (*USUAL, *shelf.rare) if len(word) >= 5]

    def many(one: Callable[[], str]) -> list[str]:
        return [one() for _ in range(number)]

    yield "a word of a name", many(lambda: chance.choice(shelf.rare))
    yield "a word of half the menu", many(lambda: chance.choice(COMMON))
    yield "three words", many(lambda: f"{chance.choice(shelf.rare)} {chance.choice(USUAL)} {chance.choice(COMMON)}")
    yield "two usual words", many(lambda: f"{chance.choice(USUAL)} {chance.choice(COMMON)}")
    yield "the beginning of a word", many(lambda: chance.choice(long)[: chance.randint(2, 4)])
    yield "a mistyped word", many(lambda: mistyped(chance.choice(long), chance))
    yield (
        "a mistyped word and a right one",
        many(lambda: f"{mistyped(chance.choice(long), chance)} {chance.choice(COMMON)}"),
    )
    yield "nothing on the menu", many(lambda: "".join(chance.choices(LETTERS[True], k=9)))


class Clock:
    """The time that statements take, from sending to having all rows."""

    def __init__(self) -> None:
        self.milliseconds = 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.milliseconds += (time.perf_counter() - started) * 1000


def measure(shelf: Shelf, *, number: int = 200) -> list[tuple[str, str, str, str]]:
    """Rows of the table: p50 and p95 in SQL of each kind, and of all kinds together."""
    rows, all_times = [], []
    for kind, asked in texts(shelf, number):
        times, found = [], 0
        for text in asked:
            clock = Clock()
            with connection.execute_wrapper(clock):
                found += bool(find_on_menu(text).product_ids)
            times.append(clock.milliseconds)
        all_times += times
        rows.append((kind, spoken(times), f"{found} of {len(asked)} found", f"aim {AIM} ms"))
    return [*rows, ("all of these", spoken(all_times), "", f"aim {AIM} ms")]


def spoken(times: Sequence[float]) -> str:
    cuts = quantiles(times, n=100)
    return f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms"
