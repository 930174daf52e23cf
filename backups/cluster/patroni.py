"""Patroni's REST API: what a cluster says of itself, and a planned switchover.

Source: https://patroni.readthedocs.io/en/latest/rest_api.html, and the answers of Patroni 4.1.5, which the tests keep.
"""

import datetime
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from backups.cluster.look import Look, Own, place_of, put_together
from backups.engine.repository import now
from backups.errors import ClusterSilent, SwitchoverRefused

CONNECT_TIMEOUT, READ_TIMEOUT = 1.0, 2.0
# Patroni answers a switchover when the new leader is there, after up to 20 s.
SWITCHOVER_TIMEOUT = 40.0
# Without its store Patroni keeps a question about the cluster waiting, and has five threads for all questions: asked
# every second, it would soon answer nobody.
ASK_AGAIN_AFTER = 10.0
LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Turn:
    """A timeline: since when, and under whom."""

    timeline: int
    since: datetime.datetime | None
    leader: str
    reason: str


class Unanswered(Exception):
    """A node did not answer, or not with what can be read; `str` says why, in a few words. `is_late`: in time."""

    def __init__(self, why: str, *, is_late: bool = False, may_have_acted: bool = True) -> None:
        super().__init__(why)
        self.is_late, self.may_have_acted = is_late, may_have_acted


class Patroni:
    """The nodes of a cluster, by the addresses of their REST APIs."""

    def __init__(self, urls: Sequence[str], *, user: str = "", password: str = "") -> None:
        self.urls = list(urls)
        self.user, self.password = user, password
        self.sessions = {url: new_session() for url in self.urls}
        self.not_before = 0.0

    @classmethod
    def of_the_shop(cls) -> "Patroni":
        """The ones of the settings, of which there may be none."""
        return cls(settings.PATRONI_URLS, user=settings.PATRONI_USER, password=settings.PATRONI_PASSWORD)

    # --- looking ----------------------------------------------------------------------------------------

    def look(self, *, names: Mapping[str, str] | None = None) -> Look:
        """Asks every node about itself, all at once, and one that answered about all. Never raises: what nobody could
        say is missing. `names`: those that addresses were known by before."""
        at = now()
        owns = self.each_about_itself()
        cluster: dict[str, Any] | None = None
        config: dict[str, Any] | None = None
        trouble = ""
        for url in leaders_first(owns):
            if time.monotonic() < self.not_before:
                break
            try:
                cluster = self.get(url, "cluster")
                config = self.get(url, "config")
                break
            except Unanswered as error:
                trouble = str(error)
                if error.is_late:
                    self.not_before = time.monotonic() + ASK_AGAIN_AFTER
                    break
        return put_together(owns, at=at, cluster=cluster, config=config, names=names, trouble=trouble)

    def each_about_itself(self) -> list[Own]:
        if not self.urls:
            return []
        with ThreadPoolExecutor(len(self.urls)) as threads:
            return list(threads.map(self.about_itself, self.urls))

    def about_itself(self, url: str) -> Own:
        try:
            return Own(url, self.get(url, "patroni"))
        except Unanswered as error:
            return Own(url, trouble=str(error))

    def history(self, urls: Sequence[str] | None = None) -> list[Turn]:
        """The timelines, the newest first, from the first of these addresses that answers. Raises ClusterSilent."""
        whys = []
        for url in self.urls if urls is None else urls:
            try:
                lines = self.get(url, "history", kind=list)
            except Unanswered as error:
                whys.append(f"{place_of(url)}: {error}")
            else:
                return [turn for line in reversed(lines) if (turn := turn_of(line)) is not None]
        raise ClusterSilent("; ".join(whys))

    # --- acting -----------------------------------------------------------------------------------------

    def switch_over(self, *, leader: str, candidate: str) -> str:
        """Has `candidate` take the lead from `leader`, and returns what Patroni said of it. Raises SwitchoverRefused
        with Patroni's words, and ClusterSilent if nobody could be asked, or nobody said what came of it."""
        asked = {"leader": leader, "candidate": candidate}
        whys = []
        for url in self.urls:
            try:
                status, words = self.post(url, "switchover", asked)
            except Unanswered as error:
                whys.append(f"{place_of(url)}: {error}")
                if error.may_have_acted:
                    break
                continue
            if status in (401, 403):
                raise SwitchoverRefused(
                    _(
                        "Patroni takes it from nobody but its own account: set PATRONI_USER and PATRONI_PASSWORD "
                        "(%(why)s)."
                    )
                    % {"why": words}
                )
            if status != 200:
                raise SwitchoverRefused(_("Patroni did not do it: %(why)s") % {"why": words})
            return words
        raise ClusterSilent("; ".join(whys))

    # --- the wire ---------------------------------------------------------------------------------------

    def get(self, url: str, path: str, *, kind: type = dict) -> Any:
        """Raises Unanswered."""
        response = self.send(url, "GET", path, timeout=READ_TIMEOUT)
        if response.status_code != 200:
            raise Unanswered(_("answers %(status)d") % {"status": response.status_code})
        try:
            said = response.json()
        except ValueError:
            said = None
        if not isinstance(said, kind):
            raise Unanswered(_("answers something else than Patroni does"))
        return said

    def post(self, url: str, path: str, body: Mapping[str, str]) -> tuple[int, str]:
        """The status and the words of the answer. Raises Unanswered."""
        account = (self.user.encode(), self.password.encode()) if self.user else None
        response = self.send(url, "POST", path, timeout=SWITCHOVER_TIMEOUT, json=body, auth=account)
        # Its words call themselves HTML, as its error pages are.
        words = response.text.strip()[:LONGEST_WORDS]
        return response.status_code, str(response.status_code) if words.startswith("<") else words

    def send(self, url: str, method: str, path: str, *, timeout: float, **parts: Any) -> requests.Response:
        """Raises Unanswered. Its words name no address: that may hold a password."""
        try:
            return self.sessions[url].request(
                method, f"{url}/{path}", timeout=(CONNECT_TIMEOUT, timeout), allow_redirects=False, **parts
            )
        except requests.ConnectTimeout:
            fault = Unanswered(_("no connection in time"), may_have_acted=False)
        except requests.Timeout:
            fault = Unanswered(_("no answer in time"), is_late=True)
        except requests.exceptions.SSLError:
            fault = Unanswered(_("its certificate is not trusted"), may_have_acted=False)
        except requests.ConnectionError as error:
            was_sent = "NewConnectionError" not in repr(error)
            fault = Unanswered(_("the connection was cut") if was_sent else _("no connection"), may_have_acted=was_sent)
        except requests.RequestException as error:
            fault = Unanswered(type(error).__name__, may_have_acted=False)
        raise fault


def new_session() -> requests.Session:
    """One that asks the node itself, and takes no credentials from anywhere but its caller."""
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    return session


def leaders_first(owns: Iterable[Own]) -> Iterator[str]:
    """The addresses that answered; that of a leader first, which knows the lag of the others best."""
    answered = [own for own in owns if own.said is not None]
    yield from (own.url for own in sorted(answered, key=lambda own: (own.said or {}).get("role") != "primary"))


def turn_of(line: Any) -> Turn | None:
    """A line of the history, [number, place, reason, moment, who]: the timeline that ended, and what came then."""
    if not isinstance(line, list) or len(line) < 3 or not isinstance(line[0], int):
        return None
    said = dict(enumerate(line))
    try:
        since = datetime.datetime.fromisoformat(str(said.get(3, "")))
    except ValueError:
        since = None
    return Turn(line[0] + 1, since, str(said.get(4, "")), str(line[2]))
