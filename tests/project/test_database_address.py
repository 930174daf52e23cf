"""A database or Redis that somebody named: it answers, or one sentence says why not."""

import os
import socket
from urllib.parse import urlsplit

import pytest

from project.embedded.database import need_database, need_redis
from project.embedded.errors import CannotStart


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_the_database_of_the_tests_answers():
    need_database(os.environ["DATABASE_URL"])


def test_of_several_hosts_the_one_that_answers_is_found(closed_port):
    address = urlsplit(os.environ["DATABASE_URL"])
    user, _at, host = address.netloc.rpartition("@")
    need_database(f"postgres://{user}@127.0.0.1:{closed_port},{host}{address.path}")


def test_where_none_of_several_hosts_answers_each_is_named(closed_port):
    with pytest.raises(CannotStart) as refusal:
        need_database(f"postgres://samovar:hush@127.0.0.1:{closed_port},[::1]:{closed_port}/samovar")
    assert str(refusal.value).count(f"port {closed_port} failed") == 2
    assert "hush" not in str(refusal.value)


def test_a_closed_port_is_named_and_the_password_is_not(closed_port):
    with pytest.raises(CannotStart) as refusal:
        need_database(f"postgres://samovar:hush@127.0.0.1:{closed_port}/samovar")
    sentence = str(refusal.value)
    assert sentence.startswith("The database of DATABASE_URL cannot be reached: connection to server")
    assert "Connection refused" in sentence
    assert "hush" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("url", ["sqlite:///db.sqlite3", "mysql://root@127.0.0.1/shop", "127.0.0.1:5432", ""])
def test_what_is_no_postgresql_is_refused(url):
    with pytest.raises(CannotStart, match="DATABASE_URL is no address of a PostgreSQL database"):
        need_database(url)


def test_an_unreadable_address_is_refused_without_repeating_it():
    with pytest.raises(CannotStart, match="DATABASE_URL cannot be read") as refusal:
        need_database("postgres://samovar:hu/sh@127.0.0.1:port/samovar")
    assert "hu" not in str(refusal.value).split("write it")[0]


def test_a_redis_that_does_not_answer_is_named(closed_port):
    with pytest.raises(CannotStart, match=r"The Redis of REDIS_URL cannot be reached: .*refused"):
        need_redis(f"redis://:hush@127.0.0.1:{closed_port}/0")


def test_an_unreadable_redis_address_is_refused():
    with pytest.raises(CannotStart, match="REDIS_URL cannot be read"):
        need_redis("127.0.0.1:6379")
