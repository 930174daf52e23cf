"""Finding products by what somebody types: their names, categories and descriptions, in English and Russian.

A text becomes words, and the words a question of PostgreSQL's full text: each one as it is written, as its stem, and
the last one also as a beginning ("latt"). Where that finds nothing, words are taken for mistyped ones and the known
words nearest to them are looked for in their place. See docs/adr/0038-search.md.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.search import CombinedSearchQuery, SearchQuery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from inventory.models import Product, ProductWords
from inventory.models.search import WITH_ACCENTS, WITHOUT

PLAIN = str.maketrans(WITH_ACCENTS, WITHOUT)
WORD = re.compile(r"[^\W_]+")
# What is typed beyond these says nothing more about a product.
LONGEST_TEXT = 200
LONGEST_WORD = 40
MOST_WORDS = 8
# One letter begins too many words.
SHORTEST_BEGINNING = 2
# Below that a word has too few letters to tell which of them is wrong.
SHORTEST_MISTYPED = 3
# So many known words are compared with a mistyped one, and so many of them are looked for.
MOST_COMPARED = 40
MOST_INSTEAD = 3
# Of what matches so much is ranked: a word that half the menu has ranks none of it higher than the rest.
MOST_RANKED = 300
MOST_SHOWN = 60

Question = SearchQuery | CombinedSearchQuery


@dataclass(frozen=True, slots=True)
class Term:
    """A word that was typed, whether it may be a beginning, and which words are meant in its place."""

    word: str
    is_beginning: bool = False
    instead: tuple[str, ...] = ()

    def as_question(self) -> Question:
        words = self.instead or (self.word,)
        parts = [SearchQuery(word, config=config) for word in words for config in ("simple", "russian")]
        if self.is_beginning:
            parts += [SearchQuery(f"{word}:*", config="simple", search_type="raw") for word in words]
        return reduce(or_, parts)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search for products found, the best first. `instead` is what was looked for in place of mistyped words,
    "" if nothing was."""

    product_ids: list[int]
    instead: str = ""


def plain_words(text: str) -> list[str]:
    """The words of a text as the search compares them: small letters, without accents and signs."""
    return [word[:LONGEST_WORD] for word in WORD.findall(text[:LONGEST_TEXT].lower().translate(PLAIN))][:MOST_WORDS]


def terms_of(text: str) -> list[Term]:
    """What a text asks for; nothing if there is no word in it."""
    words = list(dict.fromkeys(plain_words(text)))
    last = len(words) - 1
    return [
        Term(word, is_beginning=place == last and len(word) >= SHORTEST_BEGINNING) for place, word in enumerate(words)
    ]


def question_of(terms: Sequence[Term]) -> Question:
    return reduce(and_, [term.as_question() for term in terms])


def search_products(text: str, *, products: QuerySet[Product] | None = None) -> QuerySet[Product]:
    """Those of the products that `text` finds, in their own order: the one whose SKU or barcode it is, all of them for
    a text of spaces only, none for one without any word. Two queries, three more where something is mistyped."""
    asked = Product.objects.all() if products is None else products
    number = text.strip()
    if not number:
        return asked
    numbered = asked.filter(Q(sku__iexact=number) | Q(barcode__iexact=number))
    if any(sign.isdigit() for sign in number) and " " not in number and numbered.exists():
        return numbered
    terms = terms_of(text)
    if not terms:
        return asked.none()
    for attempt in attempts(terms):
        words = ProductWords.objects.filter(whole=question_of(attempt))
        if words.exists():
            return asked.filter(Exists(words.filter(product=OuterRef("pk"))))
    return asked.none()


def find_on_menu(text: str, *, most: int = MOST_SHOWN) -> Found:
    """The listed products that `text` finds, the best `most` of them: by name, then by category, then by description.

    Two queries, a few more where something is mistyped, however many products there are.
    """
    terms = terms_of(text)
    for attempt in attempts(terms) if terms else ():
        question = question_of(attempt)
        found = ranked("name", question, terms, most)
        if len(found) < most:
            found = list(dict.fromkeys([*found, *ranked("whole", question, terms, most)]))[:most]
        if found:
            instead = " ".join(term.instead[0] if term.instead else term.word for term in attempt)
            return Found(found, instead if attempt is not terms else "")
    return Found([])


def attempts(terms: list[Term]) -> Iterable[list[Term]]:
    """How a text can be meant, the most literal first: as it stands, with the known words nearest to those that are
    mistyped, with all that are near. What follows is asked only if what came before found nothing."""
    yield terms
    near = {term.word: similar_words(term) for term in terms}
    meant = [replace(term, instead=nearest(near[term.word])) for term in terms]
    if any(term.instead and term.word not in term.instead for term in meant):
        yield meant
    yield [replace(term, instead=tuple(word for _distance, word in near[term.word][:MOST_INSTEAD])) for term in terms]


def nearest(words: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Of words with their distances those that are as near as the nearest."""
    return tuple(word for distance, word in words if distance == words[0][0])[:MOST_INSTEAD]


SIMILAR = """
SELECT alike.word FROM inventory_similar_words(%s, %s) AS alike (word)
UNION
SELECT known.word FROM inventory_knownword AS known WHERE known.word = ANY(%s)
"""


def similar_words(term: Term) -> list[tuple[int, str]]:
    """The known words that may be meant, with how many letters they differ by, the nearest first."""
    if len(term.word) < SHORTEST_MISTYPED or not any(letter.isalpha() for letter in term.word):
        return []
    with connection.cursor() as cursor:
        cursor.execute(SIMILAR, [term.word, MOST_COMPARED, swapped(term.word)])
        known = [word for (word,) in cursor.fetchall()]
    near = [(distance_to(word, term), word) for word in known]
    return sorted((distance, word) for distance, word in near if distance <= mistakes_in(term.word))


def swapped(word: str) -> list[str]:
    """The word with each two neighbours in each other's place: of a short one that leaves no three letters in a row."""
    return [word[:place] + word[place + 1] + word[place] + word[place + 2 :] for place in range(len(word) - 1)]


def mistakes_in(word: str) -> int:
    """How many wrong letters are forgiven."""
    return 1 if len(word) < 5 else 2 if len(word) < 9 else 3


def distance_to(word: str, term: Term) -> int:
    """How many letters of what was typed differ from the word, or, while it is being typed, from its beginning."""
    whole = edit_distance(term.word, word)
    if not term.is_beginning or len(word) <= len(term.word) or len(term.word) < 5:
        return whole
    return min(whole, *(edit_distance(term.word, word[: len(term.word) + more]) for more in (-1, 0, 1)))


def edit_distance(one: str, other: str) -> int:
    """Letters to add, drop, change or swap with their neighbour to make one word the other."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        before_last, last = last, current
    return last[-1]


RANKED = """
SELECT id FROM (
    SELECT product.id, product.name, words.whole
    FROM inventory_productwords AS words
    JOIN inventory_product AS product ON product.id = words.product_id
    WHERE words.{column} @@ ({question}) AND product.is_listed
    LIMIT %s
) AS matching
ORDER BY
    inventory_plain_text(name) = %s DESC,
    ts_rank('{{0.05, 0.1, 0.4, 1.0}}', whole, {question}) DESC,
    length(name), name
LIMIT %s
"""


def ranked(column: str, question: Question, terms: Sequence[Term], most: int) -> list[int]:
    """The ids of the listed products whose words of this column match, the best first."""
    sql, parameters = ProductWords.objects.filter(whole=question).query.get_compiler("default").compile(question)
    statement = RANKED.format(column=column, question=sql)
    typed = " ".join(term.word for term in terms)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, MOST_RANKED, typed, *parameters, most])
        return [pk for (pk,) in cursor.fetchall()]
