"""Files that wait for a decision: their owner's alone, taken once, forgotten after a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from foundation.errors import Missing
from foundation.models import KeptFile
from foundation.services.kept_files import KEPT, find_file, keep_file, take_file
from foundation.tasks import forget_kept_files
from tests.shop import user_of

pytestmark = pytest.mark.django_db


def kept(purpose: str = "menu", email: str = "ann@shop.example") -> KeptFile:
    user = user_of("manager", email)
    return keep_file(user_id=user.pk, purpose=purpose, name="menu.csv", content=b"\x00tea", seen="abc")


def test_a_file_is_taken_once() -> None:
    file = kept()

    taken = take_file(file_id=str(file.pk), user_id=file.user_id, purpose="menu")

    assert (taken.name, bytes(taken.content), taken.seen) == ("menu.csv", b"\x00tea", "abc")
    with pytest.raises(Missing, match="kept no longer"):
        take_file(file_id=file.pk, user_id=file.user_id, purpose="menu")


def test_a_file_is_there_for_its_owner_and_its_purpose_only() -> None:
    file, other = kept(), user_of("manager", "bob@shop.example")

    for user_id, purpose in ((other.pk, "menu"), (file.user_id, "sales")):
        with pytest.raises(Missing):
            find_file(file_id=file.pk, user_id=user_id, purpose=purpose)
    assert find_file(file_id=file.pk, user_id=file.user_id, purpose="menu") == file


def test_a_person_keeps_one_file_for_a_purpose() -> None:
    first = kept()
    keep_file(user_id=first.user_id, purpose="sales", name="a", content=b"")
    second = keep_file(user_id=first.user_id, purpose="menu", name="b" * 300, content=b"")

    assert not KeptFile.objects.filter(pk=first.pk).exists()
    assert KeptFile.objects.count() == 2
    assert len(second.name) == 255


def test_a_file_is_forgotten_after_a_day() -> None:
    old, young = kept(), kept(email="bob@shop.example")
    KeptFile.objects.filter(pk=old.pk).update(created_at=timezone.now() - KEPT - timedelta(minutes=1))

    with pytest.raises(Missing):
        find_file(file_id=old.pk, user_id=old.user_id, purpose="menu")

    assert forget_kept_files() == 1
    assert list(KeptFile.objects.all()) == [young]
