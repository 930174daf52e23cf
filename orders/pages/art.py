"""A picture for a product that has none: a drink drawn from a few layers, coloured by what it is called.

The layers are symbols of static/samovar/art.svg, the colours classes of shop.css. No product looks wrong: what no word
tells anything about gets the colour of its category.
"""

from dataclasses import dataclass

from inventory.search import plain_words

# The first kind that has a word in the name decides, then the first in the category. Beginnings of plain words, as
# the search has them: "шоколад" finds "шоколадный" too.
COLOURS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("matcha", ("matcha", "матч", "pistach", "фисташ")),
    ("caramel", ("caramel", "карамел", "toffee", "hazelnut", "фундук", "nut", "орех")),
    ("cocoa", ("choco", "cacao", "cacoa", "cocoa", "ovaltine", "mocha", "шоколад", "какао", "мокко")),
    ("coffee", ("coffee", "espresso", "americano", "cappuc", "кофе", "эспрессо", "американо", "капуч", "flat")),
    ("sugar", ("brown", "sugar", "сахар")),
    ("berry", ("berr", "strawb", "raspb", "cherry", "rose", "клубни", "малин", "вишн", "ягод")),
    ("plum", ("plum", "taro", "blueb", "grape", "lavender", "слив", "таро", "черник", "виноград", "лаванд")),
    (
        "fruit",
        (
            "fruit",
            "passion",
            "mango",
            "peach",
            "lemon",
            "orange",
            "citrus",
            "aloe",
            "манго",
            "персик",
            "лимон",
            "апельсин",
            "маракуй",
            "фрукт",
            "juice",
            "сок",
        ),
    ),
    ("honey", ("honey", "мед", "vanilla", "ванил", "ginger", "имбир")),
    ("jasmine", ("jasmine", "green", "oolong", "mint", "жасмин", "зелен", "улун", "мят")),
    ("black", ("black", "assam", "earl", "ceylon", "thai", "черн", "ассам", "цейлон")),
    ("milk", ("milk", "latte", "fresh", "cream", "молок", "молоч", "латте", "сливк")),
)
EVERY_COLOUR = tuple(name for name, _words in COLOURS)
FOOD = (
    "cake",
    "cookie",
    "croissant",
    "sandwich",
    "pastr",
    "bread",
    "bun",
    "muffin",
    "dessert",
    "toast",
    "brownie",
    "пирож",
    "торт",
    "печень",
    "круассан",
    "сэндвич",
    "выпеч",
    "булоч",
    "хлеб",
    "десерт",
    "маффин",
)
HOT = ("espresso", "americano", "cappuc", "flat", "hot", "эспрессо", "американо", "капуч", "горяч")
PEARLS = ("bubble", "pearl", "tapioca", "boba", "тапиок", "жемчуж", "boba")
JELLY = ("jelly", "aloe", "pudding", "желе", "пудинг", "алоэ")
FOAM = ("macchiato", "foam", "cheese", "cappuc", "cream", "маккиато", "пенк", "сырн", "капуч")
STRIPES = ("brown", "caramel", "tiger", "карамел")
MILKY = ("milk", "latte", "macchiato", "fresh", "ovaltine", "молок", "молоч", "латте", "капуч", "cappuc")
SLICE = ("fruit", "passion", "lemon", "orange", "citrus", "лимон", "апельсин", "фрукт", "маракуй")
LEAF = ("green", "jasmine", "oolong", "matcha", "mint", "зелен", "жасмин", "улун", "матч", "мят", "plum")


@dataclass(frozen=True, slots=True)
class Art:
    """A drawn picture: its colour's name and its layers, the lowest first."""

    colour: str
    layers: tuple[str, ...]


def art_of(name: str, category: str) -> Art:
    """The picture of a product with this name in this category."""
    own = plain_words(name)
    words = [*own, *plain_words(category)]
    colour = colour_of(own) or colour_of(words)
    if not colour:
        colour = EVERY_COLOUR[sum(ord(letter) for letter in category) % len(EVERY_COLOUR)]
    if has(words, FOOD):
        return Art(colour, ("plate",))
    layers = ["mug" if has(own, HOT) else "cup"]
    is_milky = has(words, MILKY)
    if layers == ["cup"]:
        if is_milky:
            layers.append("milk")
        if has(words, STRIPES):
            layers.append("stripes")
        if has(words, PEARLS):
            layers.append("pearls")
        elif has(own, JELLY):
            layers.append("jelly")
        elif not is_milky:
            layers.append("ice")
        if has(words, FOAM):
            layers.append("foam")
        if has(own, SLICE):
            layers.append("slice")
        elif has(own, LEAF):
            layers.append("leaf")
        layers.append("glass")
    return Art(colour, tuple(layers))


def colour_of(words: list[str]) -> str:
    return next((name for name, beginnings in COLOURS if has(words, beginnings)), "")


def has(words: list[str], beginnings: tuple[str, ...]) -> bool:
    return any(word.startswith(beginnings) for word in words)
