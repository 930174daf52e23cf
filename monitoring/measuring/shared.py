"""Questions that several metrics ask: one answer does for all that are read together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

Answer = TypeVar("Answer")

_answers: ContextVar[dict[Any, Any] | None] = ContextVar("answers of one reading", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """What is asked once within it is not asked again."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def asked_once(question: Callable[[], Answer]) -> Callable[[], Answer]:
    """Within one reading, the first answer is everybody's. Outside of one it is asked anew each time."""

    @wraps(question)
    def ask() -> Answer:
        answers = _answers.get()
        if answers is None:
            return question()
        if question not in answers:
            answers[question] = question()
        answer: Answer = answers[question]
        return answer

    return ask
