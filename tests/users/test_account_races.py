"""Two people at the same moment. Where a lock prevents the fault, the same test shows the fault without it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from tests.users.conftest import NOON, PASSWORD
from users import selectors
from users.errors import EmailTaken, LastAdmin, TooManySignIns
from users.models import SignInCount, User
from users.services import accounts, sign_in_limit

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Runs each in a thread with a connection of its own; returns what it returned, or the error it raised."""

    def run(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def two_admins(person) -> tuple[User, User]:
    return person("admin", email="first@example.com"), person("admin", email="second@example.com")


@pytest.fixture
def meet_before_commit(monkeypatch):
    """Makes both transactions wait for each other when they have checked and written.

    With the lock in place the second never gets there, so the first gives up waiting after a second.
    """
    barrier = threading.Barrier(2)
    is_locked = accounts.lock_admins

    def meet(*args: Any, **kwargs: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=1 if accounts.lock_admins is is_locked else 60)

    monkeypatch.setattr(accounts, "revoke_all_tokens", meet)
    give_role = accounts._give_role

    def give_role_and_meet(user: User, role: str) -> None:
        give_role(user, role)
        meet()

    monkeypatch.setattr(accounts, "_give_role", give_role_and_meet)


def deactivate(user: User) -> Callable[[], Any]:
    return lambda: accounts.deactivate_user(user_id=user.pk)


def make_a_manager(user: User) -> Callable[[], Any]:
    return lambda: accounts.change_role(user_id=user.pk, role="manager")


WAYS = [(deactivate, deactivate), (make_a_manager, make_a_manager), (deactivate, make_a_manager)]


@pytest.mark.parametrize(("one", "other"), WAYS)
def test_two_admins_who_take_each_other_away_at_once_leave_one_admin(two_admins, meet_before_commit, one, other):
    first, second = two_admins

    outcomes = at_once(one(first), other(second))

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LastAdmin) for outcome in outcomes) == 1
    assert selectors.active_admins().count() == 1


@pytest.mark.parametrize(("one", "other"), WAYS)
def test_without_the_lock_no_admin_would_be_left(two_admins, meet_before_commit, monkeypatch, one, other):
    monkeypatch.setattr(accounts, "lock_admins", lambda: None)
    first, second = two_admins

    outcomes = at_once(one(first), other(second))

    assert all(isinstance(outcome, User) for outcome in outcomes)
    assert selectors.active_admins().count() == 0


def test_of_eight_people_who_take_one_email_at_once_one_gets_it():
    def take() -> User:
        return accounts.create_user(email="vera@example.com", role="barista", password=PASSWORD)

    outcomes = at_once(*[take] * 8)

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, EmailTaken) for outcome in outcomes) == 7
    assert User.objects.count() == 1


def test_of_32_attempts_at_once_exactly_as_many_pass_as_are_allowed(settings):
    settings.SIGN_IN_RATE = "20/min"

    def attempt() -> None:
        sign_in_limit.count_attempt(email="vera@example.com", address="192.0.2.1", now=NOON)

    outcomes = at_once(*[attempt] * 32)

    assert outcomes.count(None) == 20
    assert sum(isinstance(outcome, TooManySignIns) for outcome in outcomes) == 12
    assert set(SignInCount.objects.values_list("count", flat=True)) == {32}
