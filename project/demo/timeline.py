"""Letting several stories happen in the order of time, as they would have: the ledger reads like a diary."""

import datetime
import heapq
from collections.abc import Iterable, Iterator

Moment = datetime.datetime
# Yields the moment of its next step, and takes that step when it is resumed.
Story = Iterator[Moment]


def play(stories: Iterable[Story], *, until: Moment) -> None:
    """Runs all stories together up to the moment `until`. What would come later does not happen."""
    queue: list[tuple[Moment, int, Story]] = []
    for number, story in enumerate(stories):
        _wait(queue, number, story)
    while queue and queue[0][0] <= until:
        _moment, number, story = heapq.heappop(queue)
        _wait(queue, number, story)


def _wait(queue: list[tuple[Moment, int, Story]], number: int, story: Story) -> None:
    """Lets a story take its step; if another follows, puts it in the queue. `number` decides between equals."""
    moment = next(story, None)
    if moment is not None:
        heapq.heappush(queue, (moment, number, story))
