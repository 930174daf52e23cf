"""Sealing: nobody reads it without the key, and nobody changes it unnoticed."""

import base64
import io
import os
import random

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from backups.engine.sealing import FRAME, HEADER, TAG, Key, keys_of_the_shop, seal, unseal
from backups.errors import Damaged, Interrupted, WrongKey

KEY = Key(b"k" * 32)
OTHER = Key(b"o" * 32)
STEP = FRAME + TAG


def sealed(content: bytes, key: Key = KEY, *, context: str = "", squeeze: bool = False) -> bytes:
    sink = io.BytesIO()
    size = seal(io.BytesIO(content), sink, key, context=context, squeeze=squeeze)
    assert size == len(sink.getvalue())
    return sink.getvalue()


def opened(what: bytes, *keys: Key, context: str = "") -> bytes:
    sink = io.BytesIO()
    size = unseal(io.BytesIO(what), sink, keys or (KEY,), context=context)
    assert size == len(sink.getvalue())
    return sink.getvalue()


@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 5])
def test_what_was_sealed_opens_to_the_same_bytes(size: int, squeeze: bool) -> None:
    content = os.urandom(size)
    assert opened(sealed(content, squeeze=squeeze)) == content


@given(st.binary(max_size=3000), st.text(max_size=20), st.booleans())
def test_any_content_comes_back(content: bytes, context: str, squeeze: bool) -> None:
    assert opened(sealed(content, context=context, squeeze=squeeze), context=context) == content


def test_a_sealed_file_is_larger_by_its_header_and_a_tag_for_each_megabyte() -> None:
    assert len(sealed(os.urandom(2 * FRAME + 1))) == 2 * FRAME + 1 + HEADER + 3 * TAG


def test_nothing_of_the_content_or_the_key_shows() -> None:
    content = "Заказ 17: улун с молоком 🧋".encode() * 50
    what = sealed(content)
    assert content[:16] not in what
    assert KEY.secret not in what
    assert sealed(content)[HEADER:] != what[HEADER:]
    assert "kkk" not in repr(KEY)


def test_squeezing_makes_empty_pages_small() -> None:
    content = bytes(20 * FRAME)
    what = sealed(content, squeeze=True)
    assert len(what) < FRAME // 8
    assert opened(what) == content


def test_every_flipped_bit_is_noticed() -> None:
    what, dice = sealed(os.urandom(2 * FRAME + 500)), random.Random(18)
    # All bytes of the header and around the borders of the frames, and 40 anywhere.
    places = [*range(HEADER + 3), HEADER + STEP - 1, HEADER + STEP, len(what) - 1]
    places += [dice.randrange(len(what)) for _number in range(40)]
    for place in places:
        changed = bytearray(what)
        changed[place] ^= 1 << dice.randrange(8)
        with pytest.raises(Damaged):
            opened(bytes(changed))


@pytest.mark.parametrize("left", [0, 1, HEADER - 1, HEADER, HEADER + 1, HEADER + STEP, HEADER + 2 * STEP, -1, -TAG])
def test_a_cut_off_end_is_noticed_at_the_border_of_a_frame_too(left: int) -> None:
    what = sealed(os.urandom(2 * FRAME + 500))
    with pytest.raises(Damaged):
        opened(what[:left])


def test_frames_that_are_swapped_doubled_missing_or_added_are_noticed() -> None:
    what = sealed(os.urandom(3 * FRAME + 500))
    head, frames = what[:HEADER], [what[place : place + STEP] for place in range(HEADER, len(what), STEP)]
    other = sealed(os.urandom(3 * FRAME + 500))
    first, second, third, last = frames
    for wrong in (
        [second, first, third, last],
        [first, first, second, third, last],
        [first, third, last],
        [first, second, third, last, last],
        [first, second, third, last, b"x"],
        [other[HEADER : HEADER + STEP], second, third, last],
    ):
        with pytest.raises(Damaged):
            opened(head + b"".join(wrong))
    assert len(opened(head + b"".join(frames))) == 3 * FRAME + 500


def test_a_damaged_file_says_from_where_on() -> None:
    what = bytearray(sealed(os.urandom(3 * FRAME)))
    what[HEADER + STEP + 10] ^= 1
    with pytest.raises(Damaged, match=rf"from byte {HEADER + STEP} on it was changed or cut off\.$"):
        opened(bytes(what))


def test_a_sealed_file_does_not_open_in_anothers_place() -> None:
    what = sealed(b"segment 7", context="wal/000000010000000000000007")
    assert opened(what, context="wal/000000010000000000000007") == b"segment 7"
    with pytest.raises(Damaged):
        opened(what, context="wal/000000010000000000000008")


def test_what_was_never_sealed_says_so() -> None:
    with pytest.raises(Damaged, match="It is no sealed file"):
        opened(b"PGDMP" + bytes(500))


def test_a_wrong_key_says_which_one_is_needed() -> None:
    what = sealed(b"shop")
    with pytest.raises(WrongKey) as caught:
        opened(what, OTHER)
    assert str(caught.value) == (
        f"It was sealed with the key {KEY.id}, and BACKUP_KEY has only {OTHER.id}. Put the right key there."
    )


def test_a_new_key_seals_while_the_old_one_still_opens() -> None:
    before = sealed(b"before", OTHER)
    assert opened(before, KEY, OTHER) == b"before"
    assert opened(sealed(b"after", KEY), KEY, OTHER) == b"after"


def test_another_key_under_the_same_id_opens_nothing() -> None:
    what = bytearray(sealed(b"shop", OTHER))
    genuine = sealed(b"shop", KEY)
    with pytest.raises(Damaged):
        opened(genuine[:HEADER] + bytes(what[HEADER:]))


class Trickle(io.RawIOBase):
    """Gives less than it is asked for, as a socket does."""

    def __init__(self, content: bytes) -> None:
        self.inner = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self.inner.read(min(size, 1000))


def test_a_source_that_gives_less_than_asked_for_is_read_whole() -> None:
    content, sink = os.urandom(FRAME + 10), io.BytesIO()
    unseal(Trickle(sealed(content)), sink, [KEY])
    assert sink.getvalue() == content


def test_it_can_be_stopped() -> None:
    with pytest.raises(Interrupted, match="It was stopped"):
        seal(io.BytesIO(b"x"), io.BytesIO(), KEY, is_stopped=lambda: True)
    with pytest.raises(Interrupted, match="It was stopped"):
        unseal(io.BytesIO(sealed(b"x")), io.BytesIO(), [KEY], is_stopped=lambda: True)


def test_the_keys_of_the_shop_are_those_of_the_settings() -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with override_settings(BACKUP_KEYS=[first, second]):
        keys = keys_of_the_shop()
    assert [key.secret for key in keys] == [base64.urlsafe_b64decode(text) for text in (first, second)]
    assert keys[0].id != keys[1].id


@override_settings(BACKUP_KEYS=[])
def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(WrongKey, match=r"^BACKUP_KEY is not set: copies of backups are sealed"):
        keys_of_the_shop()


@pytest.mark.parametrize("text", ["hunter2", "", "Mk2xj5FdfFhJQjSczxwsIBS59VbPwzddvvY2AQ", "ключ", "a" * 43])
def test_a_key_that_is_none_says_so_and_does_not_show(text: str) -> None:
    with pytest.raises(WrongKey) as caught:
        Key.from_text(text)
    assert str(caught.value) == "A key in BACKUP_KEY is not 32 bytes in base64: copy it whole, or make a new one."
