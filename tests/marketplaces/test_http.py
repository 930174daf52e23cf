"""How an API is called when all goes well, and above all when it does not."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from traceback import format_exception
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from structlog.testing import capture_logs

from marketplaces.clients import http, wire
from marketplaces.clients.counting import REQUESTS
from marketplaces.clients.gate import Gate
from marketplaces.clients.http import ApiSession
from marketplaces.clients.parallel import at_home, in_parallel
from marketplaces.errors import (
    BadAnswer,
    BreakerOpen,
    MarketplaceError,
    NotAuthorised,
    NotFound,
    RateLimited,
    Refused,
    ServerError,
    Timeout,
    Unreachable,
)
from marketplaces.models import ApiGate
from marketplaces.services import gates
from tests.marketplaces.faulty_server import FaultyServer, Reply, faulty_server

pytestmark = pytest.mark.django_db

SECRET = "s3cret-key-of-the-seller"
GATE = Gate("test:one", rate=50, burst=50)
FINE = Reply(body={"fine": True})


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with faulty_server() as running:
        yield running


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the calls of this test would have waited, one entry for each wait."""
    waited: list[float] = []
    monkeypatch.setattr(http, "pause", waited.append)
    return waited


def session_to(server: FaultyServer, *, gate: Gate = GATE, **more: Any) -> ApiSession:
    settings: dict[str, Any] = {
        "base_url": server.url,
        "gate": gate,
        "headers": lambda renew: {"Api-Key": SECRET},
        "marketplace": "ozon",
        "account": "Shop",
        "read_timeout": 5.0,
    }
    return ApiSession(**(settings | more))


def get(session: ApiSession, path: str = "/things", **more: Any) -> Any:
    return session.call("GET", path, **({"is_safe": True} | more)).data


def test_a_call_goes_out_with_its_credentials_and_comes_back_as_json(server: FaultyServer) -> None:
    server.answer(Reply(body={"fine": "да"}, is_packed=True, headers={"X-Page": "2"}))
    answer = session_to(server).call("POST", "/things", params={"page": 1}, json={"a": 1}, is_safe=False)
    [request] = server.received
    assert (answer.status, answer.data, answer.headers["x-page"]) == (200, {"fine": "да"}, "2")
    assert (request.method, request.path, request.query, request.json) == ("POST", "/things", {"page": ["1"]}, {"a": 1})
    assert (request.headers["Api-Key"], request.headers["Accept-Encoding"]) == (SECRET, "gzip")
    assert request.headers["User-Agent"].startswith("Samovar/")


# --- what comes back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(400, {"code": "IncorrectParameter", "message": "no such thing"}), Refused),
        (Reply(401, {"error": "invalid_token"}), NotAuthorised),
        (Reply(403, {"code": "AccessDenied", "message": "no"}), NotAuthorised),
        (Reply(404, {"code": "NotFound", "message": "gone"}), NotFound),
        (Reply(409, [{"code": "StatusMismatch", "message": "no"}]), Refused),
        (Reply(302, "", {"Location": "https://elsewhere.example/"}), BadAnswer),
        # A page of something in between says nothing about the order or the key.
        (Reply(404, "<html>404 page not found</html>"), BadAnswer),
        (Reply(403, "<html>Access denied</html>"), BadAnswer),
    ],
)
def test_a_refusal_is_named_and_an_unsafe_call_is_made_once(
    server: FaultyServer, pauses: list[float], reply: Reply, expected: type[MarketplaceError]
) -> None:
    server.answer(reply)
    with pytest.raises(MarketplaceError) as caught:
        get(session_to(server), is_safe=False)
    assert (type(caught.value), len(server.received), pauses) == (expected, 1, [])


def test_the_words_and_the_code_of_a_refusal_are_kept(server: FaultyServer) -> None:
    server.answer(Reply(422, {"errors": [{"code": "VERY_WRONG", "message": "raw", "userMessage": "Too many."}]}))
    with pytest.raises(Refused, match="GET /things was answered with 422: raw") as caught:
        get(session_to(server))
    assert (caught.value.status, caught.value.code, caught.value.is_final) == (422, "VERY_WRONG", True)


def test_an_accepted_status_is_handed_back_with_its_body(server: FaultyServer) -> None:
    server.answer(Reply(409, [{"code": "X"}]))
    answer = session_to(server).call("PUT", "/stocks", json={}, is_safe=True, accept=(204, 409))
    assert (answer.status, answer.data) == (409, [{"code": "X"}])


def test_an_empty_answer_has_no_data(server: FaultyServer) -> None:
    server.answer(Reply(204))
    assert session_to(server).call("PATCH", "/things", is_safe=False).data is None


def test_what_postgresql_can_not_keep_is_taken_out(server: FaultyServer) -> None:
    server.answer(Reply(body='{"name": "a\\u0000b\\ud83d", "list": ["\\u0000"]}'))
    assert get(session_to(server)) == {"name": "ab?", "list": [""]}


# --- faults that pass -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Reply(500, {"message": "storm"}), ServerError),
        (Reply(502, "<html>Bad gateway</html>"), ServerError),
        (Reply(200, "<html>We are working on it</html>"), BadAnswer),
        (Reply(200, '{"orders": [{"id": 1}, {"id"'), BadAnswer),
        (Reply(200, '{"price": NaN}'), BadAnswer),
        (Reply(200, {"orders": list(range(1000))}, cut=100), Unreachable),
        (Reply(200, {"orders": list(range(1000))}, is_packed=True, cut=40), Unreachable),
        (Reply(hang=True), Timeout),
        (Reply(200, {"orders": list(range(1000))}, cut=100, hang=True), Timeout),
    ],
    ids=["500", "502", "html", "truncated", "nan", "cut", "cut-gzip", "hangs", "stops"],
)
def test_a_safe_call_is_repeated_three_times_and_an_unsafe_one_never(
    server: FaultyServer, pauses: list[float], fault: Reply, expected: type[MarketplaceError]
) -> None:
    read_timeout = 0.2 if fault.hang else 20
    session = session_to(server, gate=Gate("test:safe", rate=50, burst=50), read_timeout=read_timeout)
    server.answer(fault)
    with pytest.raises(expected):
        get(session)
    assert server.has_received(4)
    assert [round(wait / expected_wait) for wait, expected_wait in zip(pauses, [1, 2, 4], strict=True)] == [1, 1, 1]
    server.answer(fault, fault, fault, FINE)
    unsafe = session_to(server, gate=Gate("test:unsafe", rate=50, burst=50), read_timeout=read_timeout)
    with pytest.raises(expected) as caught:
        unsafe.call("POST", "/things", json={}, is_safe=False)
    assert caught.value.may_have_acted
    assert server.has_received(5)
    # The fault passes: the third attempt has the answer.
    gates.forget_slots()
    ApiGate.objects.all().delete()
    assert get(session) == {"fine": True}


def test_what_surely_never_arrived_is_repeated_even_if_it_is_not_safe(pauses: list[float]) -> None:
    with faulty_server() as server:
        session = session_to(server)
    # Nobody listens there any more.
    with pytest.raises(Unreachable) as caught:
        session.call("POST", "/things", json={}, is_safe=False)
    assert not caught.value.may_have_acted
    assert len(pauses) == 3


def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1024 * 1024)
    # Packed it is small.
    server.answer(Reply(body=" " * 2 * 1024 * 1024, is_packed=True))
    with pytest.raises(BadAnswer, match="larger than 1 MB"):
        get(session_to(server))
    assert len(server.received) == 1


# --- too many calls -------------------------------------------------------------------------------------


def in_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=31), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7),
        ({"X-Ratelimit-Retry": "3"}, 3),
        ({"Retry-After": "soon", "X-Ratelimit-Retry": "2"}, 2),
    ],
)
def test_a_429_says_how_long_to_wait_and_halves_the_rate(
    server: FaultyServer, pauses: list[float], headers: Mapping[str, str], expected: float
) -> None:
    server.answer(Reply(429, {"message": "slowly"}, headers), FINE)
    assert session_to(server).call("POST", "/things", is_safe=False).data == {"fine": True}
    assert len(server.received) == 2
    assert [round(wait, 6) for wait in pauses] == [expected]
    assert ApiGate.objects.get().rate == 25


def test_a_429_may_name_a_moment(server: FaultyServer, pauses: list[float]) -> None:
    server.answer(Reply(429, {}, {"Retry-After": in_a_minute()}), FINE)
    get(session_to(server))
    assert len(pauses) == 1
    assert 29 <= pauses[0] <= 31


def test_a_429_that_says_nothing_is_waited_out_longer_each_time(
    server: FaultyServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The pauses are not slept: on a slow machine one of a second would be over, and the next 429 a new reason.
    monkeypatch.setattr(http, "FIRST_DELAY", 10.0)
    server.answer(Reply(429))
    with pytest.raises(RateLimited) as caught:
        get(session_to(server))
    assert len(server.received) == 4
    assert len(pauses) == 3
    assert pauses[0] < pauses[1] < pauses[2] < caught.value.retry_after
    # However many 429 come at that moment, it is one reason to go slower; and none to leave the marketplace alone.
    gate = ApiGate.objects.get()
    assert (gate.rate, gate.failures, gate.open_until) == (25, 0, None)


def test_nobody_waits_for_an_hour(server: FaultyServer, pauses: list[float]) -> None:
    server.answer(Reply(429, {}, {"Retry-After": "3600"}))
    session = session_to(server)
    for calls in (1, 1):
        with pytest.raises(RateLimited) as caught:
            get(session)
        assert 3590 < caught.value.retry_after <= 3601
        # The second one is not even sent: another worker learns it from the gate.
        assert (len(server.received), pauses) == (calls, [])


def test_a_4xx_costs_what_the_marketplace_counts(server: FaultyServer) -> None:
    session = session_to(server, gate=Gate("test:ten", rate=1 / 60, burst=20), penalty=9)
    server.answer(FINE)
    get(session)
    before = ApiGate.objects.get().next_at
    server.answer(Reply(404, {"code": "NotFound"}))
    with pytest.raises(NotFound):
        get(session)
    taken = (ApiGate.objects.get().next_at - before).total_seconds()
    # One slot and nine more, of a minute each.
    assert round(taken / 60) == 10


# --- credentials ----------------------------------------------------------------------------------------


def test_a_401_asks_for_new_credentials_once(server: FaultyServer) -> None:
    keys = {False: "old", True: "new"}
    server.answer(Reply(401, {"error": "expired"}), FINE)
    session = session_to(server, headers=lambda renew: {"Authorization": keys[renew]})
    assert session.call("POST", "/things", is_safe=False).data == {"fine": True}
    assert [request.headers["Authorization"] for request in server.received] == ["old", "new"]


def test_a_401_stands_where_there_are_no_other_credentials(server: FaultyServer) -> None:
    server.answer(Reply(401, {"error": "invalid"}))
    with pytest.raises(NotAuthorised):
        get(session_to(server))
    assert len(server.received) == 1


def test_no_secret_reaches_the_log_or_the_error(server: FaultyServer) -> None:
    server.answer(Reply(500, {"message": f"the key {SECRET} is known, {SECRET}"}))
    with capture_logs() as lines, pytest.raises(ServerError) as caught:
        get(session_to(server), params={"token": SECRET}, headers={"Cookie": SECRET})
    said = str(lines) + str(caught.value) + "".join(format_exception(caught.value))
    assert SECRET not in said
    assert "[masked] is known" in str(caught.value)
    calls = [line for line in lines if line["event"] == "marketplace_call"]
    assert [(line["method"], line["path"], line["status"], line["attempt"]) for line in calls] == [
        ("GET", "/things", 500, attempt) for attempt in (1, 2, 3, 4)
    ]
    assert {(line["marketplace"], line["account"], line["error"]) for line in calls} == {
        ("ozon", "Shop", "server_error")
    }
    assert [line["call"] for line in lines if line["event"] == "marketplace_wait"] == ["GET /things"] * 3


def test_no_secret_hangs_on_the_error_of_a_connection() -> None:
    with faulty_server() as server:
        session = session_to(server)
    with pytest.raises(Unreachable) as caught:
        get(session, params={"token": SECRET})
    # The error of requests, whose text holds the whole address, does not hang on ours.
    assert SECRET not in "".join(format_exception(caught.value))


def test_another_host_gets_no_credentials(server: FaultyServer) -> None:
    session = session_to(server)
    server.answer(Reply(307, "", {"Location": "http://localhost/steal"}))
    with pytest.raises(BadAnswer, match="not followed"):
        get(session)
    with pytest.raises(BadAnswer, match="another host"):
        get(session, f"{server.url}0/steal")
    assert len(server.received) == 1


def test_an_address_of_the_api_itself_may_be_called(server: FaultyServer) -> None:
    server.answer(FINE)
    assert get(session_to(server), f"{server.url}/operations/7") == {"fine": True}


# --- the breaker ----------------------------------------------------------------------------------------


def test_a_storm_opens_the_breaker_and_one_call_tries_whether_it_is_over(server: FaultyServer) -> None:
    session = session_to(server)
    server.answer(Reply(500))
    with pytest.raises(ServerError):
        get(session)
    with pytest.raises(ServerError):
        get(session)
    # The fifth failure opened it: the second call was sent once only.
    assert len(server.received) == 5
    with pytest.raises(BreakerOpen):
        get(session)
    assert len(server.received) == 5
    ApiGate.objects.update(open_until=timezone.now())
    server.answer(FINE)
    assert get(session) == {"fine": True}
    gate = ApiGate.objects.get()
    assert (gate.failures, gate.open_until) == (0, None)


def test_a_marketplace_that_says_no_works(server: FaultyServer) -> None:
    session = session_to(server)
    server.answer(Reply(404, {"code": "NotFound"}))
    for _ in range(8):
        with pytest.raises(NotFound):
            get(session)
    assert ApiGate.objects.get().failures == 0


# --- where it may be called -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_nobody_calls_inside_a_transaction(server: FaultyServer) -> None:
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        get(session_to(server))
    assert server.received == []


def test_threads_leave_the_database_to_whoever_started_them(server: FaultyServer) -> None:
    server.answer(FINE)
    session = session_to(server)
    home = connection.connection

    def job(number: int) -> Any:
        data = get(session, f"/things/{number}")
        return data, at_home(lambda: connection.connection is home)

    assert in_parallel([partial(job, number) for number in range(9)]) == [({"fine": True}, True)] * 9
    assert sorted(request.path for request in server.received) == [f"/things/{number}" for number in range(9)]


def test_a_fault_of_one_call_is_handed_back_beside_the_others(server: FaultyServer) -> None:
    server.answer(FINE)
    server.answer_at("GET", "/bad", Reply(404, {"code": "NotFound"}))
    session = session_to(server)
    good, bad = in_parallel([lambda: get(session, "/good"), lambda: get(session, "/bad")])
    assert (good, type(bad)) == ({"fine": True}, NotFound)

    def broken() -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_parallel([broken, lambda: get(session, "/good")])


# --- files ----------------------------------------------------------------------------------------------


def test_a_file_is_fetched_from_the_apis_own_host_without_credentials(server: FaultyServer) -> None:
    server.answer(Reply(503), Reply(body=b"a;b\n1;2\n"))
    content = b"".join(session_to(server).download(f"{server.url}/files/1.csv?signature=x", allowed_hosts=[]))
    assert content == b"a;b\n1;2\n"
    assert len(server.received) == 2
    assert all("Api-Key" not in request.headers for request in server.received)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example/file",
        "https://other.example/file",
        "https://cdn.example:8443/file",
        "https://key:word@cdn.example/file",
        "https://other.example\\@cdn.example/file",
        "https://cdn.example.evil.example/file",
        "http://127.0.0.1:1/file",
        "file:///etc/passwd",
        "//cdn.example/file",
        "",
    ],
)
def test_a_file_from_anywhere_else_is_refused(server: FaultyServer, url: str) -> None:
    with pytest.raises(Refused):
        list(session_to(server).download(url, allowed_hosts=["cdn.example"]))
    assert server.received == []


def test_a_file_behind_a_redirect_is_not_fetched_and_a_torn_one_is_not_taken_for_whole(server: FaultyServer) -> None:
    session = session_to(server)
    server.answer(Reply(302, "", {"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(BadAnswer):
        list(session.download(f"{server.url}/file", allowed_hosts=[]))
    server.answer(Reply(body=b"x" * 1000, cut=500))
    with pytest.raises(Unreachable):
        list(session.download(f"{server.url}/file", allowed_hosts=[]))
    assert len(server.received) == 2


def test_each_attempt_is_counted_by_how_it_ended(server: FaultyServer) -> None:
    def counted() -> dict[str, float]:
        return {
            sample.labels["outcome"]: sample.value
            for family in REQUESTS.collect()
            for sample in family.samples
            if sample.name.endswith("_count") and sample.labels["marketplace"] == "counted"
        }

    session = session_to(server, marketplace="counted")
    server.replies = [Reply(429, {}), Reply(503, {}), FINE, Reply(400, {})]
    get(session)
    with pytest.raises(Refused):
        get(session)
    with pytest.raises(Unreachable):
        get(session_to(server, marketplace="counted", base_url="http://127.0.0.1:1"))

    assert counted() == {"limited": 1, "failed": 1, "ok": 1, "refused": 1, "unreachable": 4}
