"""The database and the Redis that somebody named in DATABASE_URL and REDIS_URL: do they answer?"""

import warnings

import psycopg2
import redis

from foundation.database.address import database_config
from project.embedded.errors import CannotStart

OLDEST = 15
ANSWER_WITHIN = 5
POSTGRES = {"postgres", "postgresql", "psql", "pgsql", "postgis"}


def need_database(url: str) -> None:
    """Raises CannotStart unless a PostgreSQL that is new enough answers at `url`. The password is never repeated."""
    if url.split("://", 1)[0] not in POSTGRES:
        raise CannotStart(
            "DATABASE_URL is no address of a PostgreSQL database: write it like postgres://user:password@host:5432/name"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = database_config(url)
    except ValueError:
        raise CannotStart(
            "DATABASE_URL cannot be read: write it like postgres://user:password@host:5432/name, with special "
            "characters of the password percent-encoded."
        ) from None
    names = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
    arguments = {name: config[key] for key, name in names.items() if config.get(key)}
    try:
        connection = psycopg2.connect(**arguments, **config["OPTIONS"])
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        raise CannotStart(f"The database of DATABASE_URL cannot be reached: {reason}") from None
    version = connection.server_version // 10_000
    connection.close()
    if version < OLDEST:
        raise CannotStart(f"The database of DATABASE_URL is PostgreSQL {version}: {OLDEST} or newer is needed.")


def need_redis(url: str) -> None:
    """Raises CannotStart unless a Redis answers at `url`."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=ANSWER_WITHIN, socket_timeout=ANSWER_WITHIN) as client:
            client.ping()
    except ValueError:
        raise CannotStart("REDIS_URL cannot be read: write it like redis://:password@host:6379/0") from None
    except redis.RedisError as error:
        raise CannotStart(f"The Redis of REDIS_URL cannot be reached: {' '.join(str(error).split())}") from None
