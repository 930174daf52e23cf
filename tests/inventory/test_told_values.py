"""The ledger of a shop that ran before its lines had values: the migration tells it again, to the last digit."""

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = ("inventory", "0002_option_effects_are_whole"), ("inventory", "0005_values_go_with_the_stock")
MORNING = datetime.datetime(2026, 3, 14, 8, tzinfo=datetime.UTC)


@pytest.fixture
def earlier() -> Iterator[StateApps]:
    """The models of the day before the ledger got values, over a database of its own: that of the other tests stays
    as it is."""
    usual = connections[DEFAULT_DB_ALIAS]
    name = f"{usual.settings_dict['NAME']}_earlier"
    with usual.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    other = usual.copy()
    other.settings_dict["NAME"] = name
    connections[DEFAULT_DB_ALIAS] = other
    try:
        yield migrate(BEFORE)
    finally:
        other.close()
        connections[DEFAULT_DB_ALIAS] = usual
        with usual.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def migrate(target: tuple[str, str]) -> StateApps:
    """Brings the database to that version; returns the models as they were then."""
    MigrationExecutor(connection).migrate([target])
    return MigrationExecutor(connection).loader.project_state([target]).apps


class Past:
    """A shop of the earlier version, written by hand: `moves` are (document, minute, change, unit cost)."""

    def __init__(self, apps: StateApps) -> None:
        self.apps = apps

    def add(self, model: str, **fields: Any) -> Any:
        return self.apps.get_model("inventory", model).objects.create(**fields)

    def level(self, place: Any, ingredient: Any, average_cost: str, moves: list[tuple[str, int, str, str]]) -> Any:
        for document, minute, delta, cost in moves:
            self.add(
                "StockMovement",
                location_id=place.pk,
                ingredient_id=ingredient.pk,
                delta=Decimal(delta),
                unit_cost=Decimal(cost),
                reason="sale" if delta.startswith("-") else "receipt",
                document_type="order",
                document_id=document,
                created_at=MORNING + datetime.timedelta(minutes=minute),
            )
        return self.add(
            "StockLevel",
            location_id=place.pk,
            ingredient_id=ingredient.pk,
            quantity=sum((Decimal(delta) for _document, _minute, delta, _cost in moves), Decimal(0)),
            average_cost=Decimal(average_cost),
        )


# {name: (average cost as it stood, moves, values that are told, (value, average cost) of the level)}
STORIES: dict[str, tuple[str, list[tuple[str, int, str, str]], list[str], tuple[str, str]]] = {
    "thirds: the last one takes what is left": (
        "0.666667",
        [
            ("1", 0, "1", "1"),
            ("2", 1, "2", "0.5"),
            ("3", 2, "-1", "0.666667"),
            ("4", 3, "-1", "0.666667"),
            ("5", 4, "-1", "0.666667"),
        ],
        ["1", "1", "-0.666667", "-0.666667", "-0.666666"],
        ("0", "0.666667"),
    ),
    "what leaves stands before what comes in the same statement": (
        "2",
        [("1", 0, "-10", "2"), ("1", 0, "10", "2"), ("2", 1, "4", "2.5"), ("3", 2, "-1", "2.5")],
        ["-20", "20", "10", "-2.5"],
        ("7.5", "2.5"),
    ),
    "the same document at two moments is two statements": (
        "3",
        [("1", 0, "10", "1"), ("1", 1, "-4", "1"), ("2", 2, "6", "5"), ("1", 3, "-6", "3"), ("1", 3, "2", "1")],
        ["10", "-4", "30", "-16.285714", "2"],
        ("21.714286", "2.714286"),
    ),
    "emptied and filled again": (
        "9",
        [("1", 0, "3", "0.333333"), ("2", 1, "-3", "0.333333"), ("3", 2, "0.001", "9")],
        ["0.999999", "-0.999999", "0.009"],
        ("0.009", "9"),
    ),
    "nobody ever said what it cost": (
        "0",
        [("1", 0, "5", "0"), ("2", 1, "-2", "0")],
        ["0", "0"],
        ("0", "0"),
    ),
    "nothing ever moved": ("1.5", [], [], ("0", "1.5")),
}


def test_the_ledger_is_told_again_to_the_last_digit(earlier):
    past = Past(earlier)
    places = [past.add("Location", name=name) for name in ("Main Street", "Harbour")]
    levels = {}
    for name, (average_cost, moves, _values, _level) in STORIES.items():
        ingredient = past.add("Ingredient", name=name[:60], unit="g")
        levels[name] = past.level(places[0], ingredient, average_cost, moves)
        # The same at another place, where it costs something else: each place is told by itself.
        past.level(places[1], ingredient, "7", [("99", 0, "2", "7")])

    apps = migrate(AFTER)

    movements = apps.get_model("inventory", "StockMovement").objects
    for name, (_average_cost, _moves, values, level) in STORIES.items():
        stored = apps.get_model("inventory", "StockLevel").objects.get(pk=levels[name].pk)
        told = movements.filter(location_id=places[0].pk, ingredient_id=stored.ingredient_id).order_by("id")
        assert list(told.values_list("value", flat=True)) == [Decimal(value) for value in values], name
        assert (stored.value, stored.average_cost) == tuple(Decimal(figure) for figure in level), name
    others = apps.get_model("inventory", "StockLevel").objects.filter(location_id=places[1].pk)
    assert set(others.values_list("value", "average_cost")) == {(Decimal(14), Decimal(7))}

    # And it is as unchangeable as before.
    with pytest.raises(DatabaseError, match="Cannot update"):
        movements.update(value=6)
