"""What people do about counts: start one, note what stands there, also later than they saw it, and post it once."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, multiple, rule

from inventory.models import StockCount, StockLevel
from inventory.services.counts import cancel_count, count_lines, post_count, reopen_count, start_count, submit_count
from tests.machines import ledger_model
from tests.machines.ledger_model import Line
from tests.machines.stage import Stage, counts, ingredient_index, place_index

OPEN = ("counting", "review")
SETTLED = ("count", "correction")
# What somebody finds, beside what the level says: so much more, so much less, or nothing at all.
finds = st.sampled_from(["0", "0", "5", "-5", "0.001", "-33.333", "all gone"])
hours_ago = st.none() | st.sampled_from([0, 1, 12, 1000])


@dataclass
class Counted:
    """A count as the machine knows it; `found`: {ingredient: (difference, newest ledger line that it knew of)}."""

    place: int
    started_at: datetime.datetime
    wanted: list[int]
    status: str = "counting"
    found: dict[int, tuple[Decimal, int]] = field(default_factory=dict)


class Counting(Stage):
    """Counts of lists and of whole locations."""

    def start_counting(self) -> None:
        self.counted: dict[int, Counted] = {}

    def lines_of(self, place: int, ingredient: int) -> list[Line]:
        level = (self.places[place].pk, self.ingredients[ingredient].pk)
        return [line for line in self.books.lines if line.level == level]

    @rule(
        target=counts,
        place=place_index,
        wanted=st.none() | st.sets(ingredient_index, min_size=1, max_size=3),
        finds=st.none() | st.dictionaries(ingredient_index, finds, min_size=1, max_size=3),
    )
    def start_a_count(self, place: int, wanted: set[int] | None, finds: dict[int, str] | None) -> Any:
        location = self.places[place]
        there = set(StockLevel.objects.filter(location=location).values_list("ingredient_id", flat=True))
        ids = [self.ingredients[one].pk for one in sorted(wanted)] if wanted is not None else None
        listed = sorted(wanted) if wanted is not None else sorted(self.index_of(one) for one in there)
        busy = {
            one
            for known in self.counted.values()
            if known.place == place and known.status in OPEN
            for one in known.wanted
        }
        count = self.attempt(
            lambda: start_count(location=location, ingredient_ids=ids, created_by_id=None),
            succeeds=location.is_active and bool(listed) and not busy & set(listed),
        )
        if count is None:
            return multiple()
        self.counted[count.pk] = Counted(place, self.now, listed)
        if finds:
            # Most who start a count also count.
            self.note_what_was_found(count.pk, {one: find for one, find in finds.items() if one in listed}, None)
        return count.pk

    @rule(count=counts, finds=st.dictionaries(ingredient_index, finds, min_size=1, max_size=3), ago=hours_ago)
    def count_shelves(self, count: int, finds: dict[int, str], ago: int | None) -> None:
        self.note_what_was_found(count, finds, ago)

    def note_what_was_found(self, count: int, finds: dict[int, str], ago: int | None) -> None:
        if not finds:
            return
        known = self.counted[count]
        seen_at = self.now if ago is None else max(self.now - datetime.timedelta(hours=ago), known.started_at)
        counted, found = {}, {}
        for ingredient, find in finds.items():
            lines = self.lines_of(known.place, ingredient)
            if seen_at < self.now:
                # They saw the level as it was then, whatever has happened since.
                seen = [line.id for line in lines if line.created_at <= seen_at]
                lines = [line for line in lines if seen and line.id <= seen[-1]]
            expected = sum((line.delta for line in lines), Decimal(0))
            quantity = Decimal(0) if find == "all gone" else max(expected + Decimal(find), Decimal(0))
            counted[self.ingredients[ingredient].pk] = quantity
            found[ingredient] = (quantity - expected, lines[-1].id if lines else 0)
        done = self.attempt(
            lambda: count_lines(
                count_id=count,
                counted=counted,
                counted_by_id=None,
                at=None if ago is None else self.now - datetime.timedelta(hours=ago),
            ),
            succeeds=known.status == "counting" and set(finds) <= set(known.wanted),
        )
        if done:
            known.found |= found

    @rule(count=counts, leave_out=st.booleans())
    def submit_a_count(self, count: int, leave_out: bool) -> None:
        self.submit(count, leave_out)

    def submit(self, count: int, leave_out: bool) -> None:
        known = self.counted[count]
        done = self.attempt(
            lambda: submit_count(
                count_id=count, leave_out=[self.ingredients[one].pk for one in known.wanted] if leave_out else ()
            ),
            succeeds=known.status == "counting"
            and bool(known.found)
            and (leave_out or set(known.found) == set(known.wanted)),
        )
        if done:
            known.status = "review"

    @rule(count=counts, again=st.sets(ingredient_index, max_size=2))
    def give_a_count_back(self, count: int, again: set[int]) -> None:
        known = self.counted[count]
        done = self.attempt(
            lambda: reopen_count(count_id=count, ingredient_ids=[self.ingredients[one].pk for one in again]),
            succeeds=again <= set(known.wanted)
            # One that was given back already may get more to be counted again.
            and (known.status == "review" or (known.status == "counting" and bool(again))),
        )
        if done:
            known.status = "counting"
            known.found = {one: found for one, found in known.found.items() if one not in again}

    @rule(count=counts)
    def throw_a_count_away(self, count: int) -> None:
        known = self.counted[count]
        done = self.attempt(lambda: cancel_count(count_id=count), succeeds=known.status in OPEN)
        if done:
            known.status = "cancelled"

    @rule(count=counts, submits=st.booleans())
    def post(self, count: int, submits: bool) -> None:
        """Also one that was posted, or whose shelves somebody settled since."""
        known = self.counted[count]
        if submits and known.status == "counting" and known.found:
            self.submit(count, leave_out=True)
        there = self.quantities(known.place)
        done = self.attempt(
            lambda: post_count(count_id=count, posted_by_id=None),
            succeeds=known.status == "review"
            and self.places[known.place].is_active
            and not any(self.is_outdated(known, one) for one in known.found)
            and all(
                there.get(self.ingredients[one].pk, 0) + difference >= 0
                for one, (difference, _line) in known.found.items()
            ),
        )
        if done:
            known.status = "posted"
            self.bring(known.place, {one: difference for one, (difference, _line) in known.found.items()}, 1)

    def is_outdated(self, known: Counted, ingredient: int) -> bool:
        """Whether somebody settled the level since: a second time would be once too often."""
        _difference, newest = known.found[ingredient]
        return any(line.id > newest and line.reason in SETTLED for line in self.lines_of(known.place, ingredient))

    @invariant()
    def a_count_changes_what_was_found_and_only_when_it_is_posted(self) -> None:
        self.statuses_are(
            StockCount.objects.values_list("pk", "status"), [(pk, known.status) for pk, known in self.counted.items()]
        )
        assert ledger_model.rows(ledger_model.WRONG_COUNTS) == []
