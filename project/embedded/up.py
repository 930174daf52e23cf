"""Opens the whole shop on this machine, as `make run` and `manage.py up` do."""

import http.client
import json
import os
import signal
import sys
from collections.abc import Mapping

from foundation.programs.program import Program
from project.embedded import address
from project.embedded.console import Console
from project.embedded.environment import (
    counting_variables,
    for_programs,
    log_variables,
    mail_variables,
    read_dotenv,
    secret_variables,
    write_env,
)
from project.embedded.errors import CannotStart
from project.embedded.keeping_open import keep_open
from project.embedded.leftovers import Record
from project.embedded.lock import FolderLock
from project.embedded.places import BASE_DIR, Places
from project.embedded.secrets_file import Secrets
from project.embedded.services import Services
from project.embedded.standin import VARIABLE, standin_program, standin_variables
from project.embedded.supervisor import Supervisor


def open_shop(places: Places, console: Console, *, parent: int | None = None) -> int:
    """Starts everything, and stops everything when asked to. Returns the exit code.

    Args:
        parent: the process that started this one; when it is gone, for example a killed make, the shop stops.
    """
    os.umask(0o077)
    supervisor = Supervisor(console, Record(places.processes), parent=parent)
    supervisor.listen()
    lock = FolderLock(places.lock)

    def run() -> None:
        places.make()
        lock.acquire()
        Shop(places, console, supervisor, lock).run()

    return keep_open(run, lock=lock, supervisor=supervisor, console=console, end="Samovar is closed.")


class Shop:
    """The sequence of a start."""

    def __init__(self, places: Places, console: Console, supervisor: Supervisor, lock: FolderLock) -> None:
        self.places, self.console, self.supervisor, self.lock = places, console, supervisor, lock

    def run(self) -> None:
        """Starts the shop and watches it until StopRequested or CannotStart."""
        # First of all: a killed shop's web server may still hold the port.
        stopped = self.supervisor.record.stop_leftovers()
        read_dotenv()
        host, port = address.read_address(os.environ)
        if sentence := address.why_not(host, port):
            raise CannotStart(sentence)
        self.console.say("Samovar is opening.")
        secrets = Secrets.load(self.places.secrets)
        secrets.save(self.places.secrets)
        if stopped:
            self.console.step("Cleared", f"what was left of an earlier run: {', '.join(stopped)}")
        made = secret_variables(secrets) | mail_variables(self.places.mail, os.environ)
        made |= log_variables(self.places.logs, os.environ)
        made |= Services(self.places, secrets, self.supervisor).start()
        stands_in = standin_variables(self.places, secrets)
        made |= stands_in
        write_env(self.places.env, made)
        environment = for_programs(made)
        self.prepare(environment)
        if stands_in:
            self.supervisor.launch(standin_program(self.places, secrets, environment))
            self.console.step("Marketplaces", f"a stand-in of all three at {stands_in[VARIABLE]}")
        self.places.make_metrics()
        counting = counting_variables(self.places.metrics)
        for program in self.programs(environment | counting, host, port):
            self.supervisor.launch(program)
        self.wait_for_the_web(host, int(port))
        self.lock.tell(state="open", address=address.url(host, port))
        self.welcome(host, port)
        self.supervisor.watch()

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Brings the tables up to date and fills the demo shop, in one short-lived process.

        Raises:
            CannotStart: it failed; the message repeats its last words.
        """
        if environment.get("DEMO") != "0" and not self.places.demo_accounts.exists():
            self.console.step("Demo shop", "being filled, which takes a moment …")
        program = self._python(
            "prepare", "The preparation of the database", ["-m", "project.embedded.prepare"], environment
        )
        self.supervisor.launch(program)
        while (code := program.exit_code()) is None:
            self.supervisor.pause(0.1)
        self.supervisor.programs.remove(program)
        if code:
            lines = [line.strip() for line in program.last_words().splitlines() if line.strip()]
            raise CannotStart(
                f"The database could not be prepared: {lines[-1] if lines else f'exit code {code}'} "
                f"(all its words are in {program.log})"
            )
        self.console.step("Shop", "tables and data are up to date")

    def programs(self, environment: Mapping[str, str], host: str, port: str) -> list[Program]:
        """Returns the watchdog, the backup agent, beat, the worker and the web server; they are stopped in the opposite
        order."""
        celery = ["-m", "celery", "--app", "project", "--quiet"]
        web = [
            *["-m", "gunicorn", "project.wsgi", "--bind", address.bind(host, port)],
            *["--workers", environment.get("WEB_CONCURRENCY", "2"), "--threads", "4"],
            *["--graceful-timeout", "5", "--no-control-socket"],
        ]
        worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
        agent = self._python("backups", "The backup agent", ["manage.py", "backup_agent"], environment, patience=20.0)
        agent.restarts = True
        watchdog = self._python("watchdog", "The watchdog", ["manage.py", "watchdog"], environment)
        return [
            watchdog,
            agent,
            self._python("beat", "Beat", [*celery, "beat", "--loglevel", "INFO", "--pidfile="], environment),
            self._python("worker", "The worker", worker, environment, patience=20.0),
            self._python("web", "The web server", web, environment),
        ]

    def _python(
        self, name: str, title: str, arguments: list[str], environment: Mapping[str, str], *, patience: float = 10.0
    ) -> Program:
        return Program(
            name=name,
            title=title,
            command=[sys.executable, *arguments],
            environment=environment,
            folder=BASE_DIR,
            log=self.places.logs / f"{name}.log",
            stop_signal=signal.SIGTERM,
            patience=patience,
            restarts=name != "prepare",
            is_spared=name not in ("prepare", "web"),
        )

    def wait_for_the_web(self, host: str, port: int) -> None:
        """Waits until the web server answers anything at all."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a browser's view of the address
        while True:
            connection = http.client.HTTPConnection(host, port, timeout=5)
            try:
                connection.request("GET", "/health/live", headers={"Host": "localhost"})
                connection.getresponse()
            except (OSError, http.client.HTTPException):
                self.supervisor.check()
                self.supervisor.pause(0.1)
            else:
                return
            finally:
                connection.close()

    def welcome(self, host: str, port: str) -> None:
        """Says where the shop is and who may come in."""
        say = self.console.say
        say(f"\nSamovar is open:  {address.url(host, port)}")
        if host not in {"127.0.0.1", "localhost", "::1"} and not os.environ.get("ALLOWED_HOSTS"):
            say("Set ALLOWED_HOSTS to the names under which other machines reach it.")
        accounts = self._demo_accounts()
        if accounts:
            width = max(len(account["email"]) for account in accounts)
            say("\n  role        " + "e-mail".ljust(width) + "  password")
            for account in accounts:
                say(f"  {account['role']:<10}  {account['email']:<{width}}  {account['password']}")
        if code := self._setup_code():
            say(f"\nThe shop is empty. Set it up there with the setup code  {code}")
        if not os.environ.get("EMAIL_URL"):
            say(f"\nMails are files in {self.places.mail}; set EMAIL_URL to have a mail server send them.")
        say(f"\nLogs are in {self.places.logs}. Ctrl-C stops everything.")

    def _setup_code(self) -> str:
        """The code for the first account; nothing once there is one."""
        try:
            return self.places.setup_code.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""

    def _demo_accounts(self) -> list[dict[str, str]]:
        try:
            accounts: list[dict[str, str]] = json.loads(self.places.demo_accounts.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        return accounts
