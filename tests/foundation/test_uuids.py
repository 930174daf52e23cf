import datetime

from foundation.uuids import first_uuid7_at, uuid7


def test_keys_sort_by_the_moment_at_which_they_were_made() -> None:
    before = datetime.datetime.now(datetime.UTC)
    keys = [uuid7() for _ in range(200)]

    assert len(set(keys)) == 200
    assert {(key.version, key.variant) for key in keys} == {(7, "specified in RFC 4122")}
    assert [key.int >> 64 for key in keys] == sorted(key.int >> 64 for key in keys)
    assert all(key >= first_uuid7_at(before) for key in keys)
    assert all(key < first_uuid7_at(before + datetime.timedelta(hours=1)) for key in keys)
