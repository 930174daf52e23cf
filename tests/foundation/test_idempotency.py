"""A write that is repeated under its key happens once."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from foundation.errors import InvalidInput, KeyInProgress, KeyMismatch, Refusal
from foundation.models import IdempotencyKey
from foundation.services.idempotency import Answer, forget_old_keys, run_once
from foundation.tasks import forget_old_idempotency_keys
from monitoring.models import Alert
from tests.foundation.small_api import write_alert
from users.models import User

pytestmark = [pytest.mark.urls("tests.foundation.small_api"), pytest.mark.django_db]

WRITE = "/api/v1/write/"
KEY = {"Idempotency-Key": "one"}


def subjects() -> list[str]:
    return list(Alert.objects.order_by("pk").values_list("subject", flat=True))


def test_a_repeat_gets_the_first_answer_and_writes_nothing(api: APIClient) -> None:
    first = api.post(WRITE, {"subject": "milk"}, headers=KEY)
    repeat = api.post(WRITE, {"subject": "milk"}, headers=KEY)

    assert (first.status_code, repeat.status_code) == (201, 201)
    assert repeat.content == first.content
    assert repeat.json() == {"id": Alert.objects.get().pk, "subject": "milk", "name": "чай"}
    assert repeat["Content-Type"] == first["Content-Type"] == "application/json"
    assert repeat["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert subjects() == ["milk"]


def test_a_method_that_there_is_not_is_refused_whatever_the_key_was_used_for(api: APIClient) -> None:
    api.post(WRITE, {"subject": "milk"}, headers=KEY)

    assert api.patch(WRITE, {"subject": "milk"}, headers=KEY).status_code == 405
    assert subjects() == ["milk"]


def test_without_a_key_every_request_writes(api: APIClient) -> None:
    for _ in range(2):
        assert api.post(WRITE, {}).status_code == 201
        Alert.objects.update(resolved_at=timezone.now())

    assert subjects() == ["", ""]
    assert IdempotencyKey.objects.count() == 0


def test_the_same_json_in_another_spelling_is_the_same_request(api: APIClient) -> None:
    first = api.generic("POST", WRITE, '{"subject": "milk", "a": 1}', content_type="application/json", headers=KEY)
    repeat = api.generic("POST", WRITE, '{ "a":1,"subject":"m\\u0069lk"}', content_type="application/json", headers=KEY)

    assert repeat.content == first.content
    assert subjects() == ["milk"]


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("post", WRITE, {"subject": "tea"}),
        ("post", WRITE, {}),
        ("post", WRITE, {"subject": "milk", "more": 1}),
        ("post", f"{WRITE}?more=1", {"subject": "milk"}),
        ("put", WRITE, {"subject": "milk"}),
    ],
)
def test_another_request_under_the_same_key_is_refused(
    api: APIClient, method: str, url: str, body: dict[str, Any]
) -> None:
    api.post(WRITE, {"subject": "milk"}, headers=KEY)

    response = getattr(api, method)(url, body, headers=KEY)

    assert response.status_code == 422
    assert response.json() == {
        "type": "idempotency_mismatch",
        "detail": "This key was used for another request. Use a new key for a new request.",
    }
    assert subjects() == ["milk"]


def test_the_same_key_at_another_path_is_another_key(api: APIClient) -> None:
    api.post(WRITE, {"subject": "milk"}, headers=KEY)

    assert api.post("/api/v1/write-too/", {"subject": "tea"}, headers=KEY).status_code == 201
    assert subjects() == ["milk", "tea"]


def test_the_same_key_of_two_people_is_two_keys(api: APIClient) -> None:
    other = APIClient()
    other.force_authenticate(User.objects.create_user("other@example.com"))

    assert api.post(WRITE, {"subject": "milk"}, headers=KEY).status_code == 201
    assert other.post(WRITE, {"subject": "tea"}, headers=KEY).status_code == 201
    assert subjects() == ["milk", "tea"]


def test_an_answer_without_a_body_is_repeated_without_one(api: APIClient) -> None:
    first = api.post(WRITE, {"then": "nothing"}, headers=KEY)
    repeat = api.post(WRITE, {"then": "nothing"}, headers=KEY)

    assert (first.status_code, repeat.status_code) == (204, 204)
    assert (first.content, repeat.content) == (b"", b"")
    assert repeat["Idempotency-Replayed"] == "true"


def test_an_answer_that_is_no_json_is_repeated_as_it_was(api: APIClient) -> None:
    api.post(WRITE, {"then": "text"}, headers=KEY)
    repeat = api.post(WRITE, {"then": "text"}, headers=KEY)

    assert (repeat.status_code, repeat.content) == (202, b"done")
    assert repeat["Content-Type"] == "text/plain; charset=utf-8"


def test_a_stream_can_not_be_kept_and_nothing_is_written(person: User) -> None:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(person)

    assert client.post(WRITE, {"then": "stream"}, headers=KEY).status_code == 500
    assert subjects() == []


@pytest.mark.parametrize(("then", "status"), [("refuse", 409), ("answer 400", 400)])
def test_a_refused_attempt_is_not_kept_and_takes_back_what_it_wrote(api: APIClient, then: str, status: int) -> None:
    assert api.post(WRITE, {"subject": "milk", "then": then}, headers=KEY).status_code == status

    assert subjects() == []
    assert IdempotencyKey.objects.count() == 0
    assert api.post(WRITE, {"subject": "milk"}, headers=KEY).status_code == 201
    assert subjects() == ["milk"]


def test_a_failed_attempt_keeps_neither_the_write_nor_the_answer(person: User) -> None:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(person)

    assert client.post(WRITE, {"subject": "milk", "then": "fail"}, headers=KEY).status_code == 500

    assert subjects() == []
    assert IdempotencyKey.objects.count() == 0


@pytest.mark.parametrize("key", ["", "a" * 201, "ключ", "a\tb", "a\x7f"])
def test_a_malformed_key_is_refused(api: APIClient, key: str) -> None:
    response = api.post(WRITE, {}, HTTP_IDEMPOTENCY_KEY=key)

    assert response.status_code == 400
    assert response.json()["errors"] == {"Idempotency-Key": ["The key must be 1 to 200 printable ASCII characters."]}
    assert subjects() == []


def test_two_hundred_characters_are_a_key(api: APIClient) -> None:
    assert api.post(WRITE, {}, headers={"Idempotency-Key": "a" * 200}).status_code == 201


def test_bad_json_under_a_key_is_bad_json(api: APIClient) -> None:
    response = api.generic("POST", WRITE, "{", content_type="application/json", headers=KEY)

    assert (response.status_code, response.json()["type"]) == (400, "invalid")


def test_who_has_not_signed_in_has_no_keys() -> None:
    assert APIClient().post(WRITE, {}, headers=KEY).status_code == 401
    assert IdempotencyKey.objects.count() == 0


def test_reading_ignores_the_key(api: APIClient) -> None:
    assert api.get("/api/v1/alerts/", headers=KEY).status_code == 200
    assert IdempotencyKey.objects.count() == 0


def test_a_viewset_repeats_its_answers_too(api: APIClient) -> None:
    alert = {"event": "test", "severity": "info", "message": "m", "subject": "milk"}
    first = api.post("/api/v1/alerts/", alert, headers=KEY)
    repeat = api.post("/api/v1/alerts/", alert, headers=KEY)
    pk = first.json()["id"]

    assert first.content == repeat.content
    assert api.delete(f"/api/v1/alerts/{pk}/", headers=KEY).status_code == 204
    assert api.delete(f"/api/v1/alerts/{pk}/", headers=KEY).status_code == 204
    assert api.delete(f"/api/v1/alerts/{pk}/", headers={"Idempotency-Key": "two"}).status_code == 404


def test_files_belong_to_the_request(api: APIClient) -> None:
    def upload(content: bytes) -> Any:
        form = {"subject": "milk", "image": SimpleUploadedFile("a.png", content)}
        return api.post(WRITE, form, format="multipart", headers=KEY)

    assert upload(b"one").status_code == 201
    assert upload(b"one")["Idempotency-Replayed"] == "true"
    assert upload(b"two").status_code == 422


def test_a_key_is_forgotten_after_seven_days_even_before_it_is_deleted(api: APIClient) -> None:
    api.post(WRITE, {"subject": "milk"}, headers=KEY)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=7, seconds=1))

    assert api.post(WRITE, {"subject": "tea"}, headers=KEY).status_code == 201

    assert subjects() == ["milk", "tea"]
    kept = IdempotencyKey.objects.get()
    assert json.loads(kept.body)["subject"] == "tea"
    assert timezone.now() - kept.created_at < timedelta(minutes=1)


def test_a_key_of_almost_seven_days_is_known(api: APIClient) -> None:
    api.post(WRITE, {"subject": "milk"}, headers=KEY)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=7) + timedelta(minutes=1))

    assert api.post(WRITE, {"subject": "milk"}, headers=KEY)["Idempotency-Replayed"] == "true"


def make_keys(person: User, number: int, age: timedelta) -> None:
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(
            scope=f"{age} {index}",
            user=person,
            path="/",
            key=str(index),
            request_digest="",
            status=200,
            created_at=timezone.now() - age,
        )
        for index in range(number)
    )


def test_old_keys_are_deleted_in_batches_and_young_ones_stay(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.services.idempotency.FORGET_BATCH", 2)
    make_keys(person, 5, timedelta(days=8))
    make_keys(person, 3, timedelta(days=6))

    assert forget_old_keys() == 5
    assert IdempotencyKey.objects.count() == 3
    assert forget_old_idempotency_keys() == 0


def once(person: User, work: Callable[[], Answer], *, request_digest: str = "d") -> Answer:
    return run_once(user=person, path="/admin/orders/", key="form-1", request_digest=request_digest, work=work)


def test_a_form_of_the_admin_runs_once(person: User) -> None:
    runs: list[int] = []

    def place() -> Answer:
        runs.append(write_alert("form").pk)
        return Answer(status=201, body=str(runs[-1]))

    first, repeat = once(person, place), once(person, place)

    assert (first.body, first.replayed) == (str(runs[0]), False)
    assert (repeat.body, repeat.status, repeat.replayed) == (str(runs[0]), 201, True)
    assert len(runs) == 1
    with pytest.raises(KeyMismatch):
        once(person, place, request_digest="another")


def test_a_refusal_goes_through_and_leaves_no_key(person: User) -> None:
    def refuse() -> Answer:
        write_alert("form")
        raise Refusal("No.")

    with pytest.raises(Refusal, match=r"^No"):
        once(person, refuse)

    assert subjects() == []
    assert IdempotencyKey.objects.count() == 0


def test_a_malformed_key_never_starts_the_work(person: User) -> None:
    with pytest.raises(InvalidInput):
        run_once(user=person, path="/", key="", request_digest="", work=lambda: pytest.fail("it ran"))


class InAnotherThread:
    """Runs a function in a thread with a connection of its own, and gives its result or raises its error."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self.run, args=[function])
        self.thread.start()

    def run(self, function: Callable[[], Any]) -> None:
        try:
            self.result = function()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def join(self) -> Any:
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()
        if self.error:
            raise self.error
        return self.result


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_running_the_second_is_told_so(person: User) -> None:
    started, may_end = threading.Event(), threading.Event()

    def slow() -> Answer:
        write_alert("slow")
        started.set()
        assert may_end.wait(timeout=30)
        return Answer(status=201, body="first")

    first = InAnotherThread(lambda: once(person, slow))
    try:
        assert started.wait(timeout=30)
        with pytest.raises(KeyInProgress):
            once(person, lambda: pytest.fail("it ran"))
        # Another body is no other case: whether it fits is known when the first has ended.
        with pytest.raises(KeyInProgress):
            once(person, lambda: pytest.fail("it ran"), request_digest="another")
        assert subjects() == []
    finally:
        may_end.set()
    assert first.join().body == "first"

    assert once(person, lambda: pytest.fail("it ran")).body == "first"
    assert subjects() == ["slow"]


@pytest.mark.django_db(transaction=True)
def test_with_the_lock_taken_out_the_second_runs_too(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.services.idempotency.claim", lambda scope, patience: None)
    started, second_ran = threading.Event(), threading.Event()

    def slow() -> Answer:
        write_alert("first")
        started.set()
        assert second_ran.wait(timeout=30)
        return Answer(status=201)

    def quick() -> Answer:
        write_alert("second")
        second_ran.set()
        return Answer(status=201)

    first = InAnotherThread(lambda: once(person, slow))
    assert started.wait(timeout=30)
    once(person, quick)
    first.join()

    assert sorted(subjects()) == ["first", "second"]


@pytest.mark.django_db(transaction=True)
def test_over_http_the_second_gets_409_in_progress(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    started, may_end = threading.Event(), threading.Event()

    def slow(subject: str) -> Alert:
        alert = write_alert(subject)
        started.set()
        assert may_end.wait(timeout=30)
        return alert

    monkeypatch.setattr("tests.foundation.small_api.write_alert", slow)

    def post() -> Any:
        client = APIClient()
        client.force_authenticate(person)
        return client.post(WRITE, {"subject": "milk"}, headers=KEY)

    first = InAnotherThread(post)
    try:
        assert started.wait(timeout=30)
        second = post()
        assert second.status_code == 409
        assert second.json() == {
            "type": "in_progress",
            "detail": "The first request with this key is still running. Ask again in a moment.",
        }
    finally:
        may_end.set()

    assert first.join().status_code == 201
    assert post()["Idempotency-Replayed"] == "true"
    assert subjects() == ["milk"]


@pytest.mark.django_db(transaction=True)
def test_after_a_first_that_failed_the_key_is_free(person: User) -> None:
    started, may_end = threading.Event(), threading.Event()

    def fail() -> Answer:
        write_alert("failed")
        started.set()
        assert may_end.wait(timeout=30)
        raise Refusal("No.")

    first = InAnotherThread(lambda: once(person, fail))
    assert started.wait(timeout=30)
    may_end.set()
    with pytest.raises(Refusal):
        first.join()

    def work() -> Answer:
        return Answer(status=201, body=str(write_alert("second").subject))

    assert once(person, work).body == "second"
    assert subjects() == ["second"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("died", ["before the answer was kept", "after the answer was kept"])
def test_a_connection_that_dies_before_the_commit_leaves_neither_write_nor_answer(person: User, died: str) -> None:
    def die() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        InAnotherThread(lambda: kill(pid)).join()

    def work() -> Answer:
        write_alert("lost")
        if died == "before the answer was kept":
            die()
        return Answer(status=201)

    def attempt() -> None:
        with transaction.atomic():
            once(person, work)
            die()

    with pytest.raises(Exception, match=r"terminat|closed"):
        InAnotherThread(attempt).join()

    assert subjects() == []
    assert IdempotencyKey.objects.count() == 0


def kill(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_repeats_at_the_same_moment_one_writes(person: User) -> None:
    together = threading.Barrier(16)
    answers: list[str] = []

    def attempt() -> None:
        together.wait(timeout=30)
        try:
            answer = once(person, lambda: Answer(status=201, body=str(write_alert("one").pk)))
        except KeyInProgress:
            answers.append("in progress")
        else:
            answers.append(answer.body)

    for attempt_ in [InAnotherThread(attempt) for _ in range(16)]:
        attempt_.join()

    assert subjects() == ["one"]
    assert len(answers) == 16
    assert set(answers) <= {"in progress", str(Alert.objects.get().pk)}
    assert str(Alert.objects.get().pk) in answers
