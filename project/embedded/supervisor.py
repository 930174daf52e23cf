"""Keeps the shop's programs running, and stops them in their order.

honcho and its like were considered: they stop everything at once, restart nothing, and what they started outlives
them when they are killed. Here the web server goes before the database, a worker that died comes back, and nothing
is left behind.
"""

import os
import signal
import time
from collections import deque
from types import FrameType

from foundation.programs.program import Program
from project.embedded.console import Console
from project.embedded.errors import CannotStart, StopRequested
from project.embedded.leftovers import Record

RESTARTS_AT_MOST = 5
RESTARTS_WITHIN = 60.0
# One that the shop can do without is tried anew after so long, when it has ended too often.
REST = 60.0
TICK = 0.1


class Supervisor:
    """Starts programs, watches them, and stops them, the last started first.

    Signals only leave a note, which `pause` turns into StopRequested: so nothing is interrupted between the start
    of a program and its entry in the record.

    Args:
        record: where the running programs are written down for the next start.
        parent: the process that started this one; when it is gone, for example a killed make, everything stops.
    """

    def __init__(self, console: Console, record: Record, *, parent: int | None = None) -> None:
        self.console = console
        self.record = record
        self.programs: list[Program] = []
        self._parent = parent
        self._requests = 0
        self._restarts: dict[str, deque[float]] = {}
        self._rests_until: dict[str, float] = {}

    def listen(self) -> None:
        """Takes Ctrl-C, SIGTERM and the end of the terminal as a request to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_request)

    def launch(self, program: Program) -> None:
        """Starts a program and writes it down."""
        self.programs = [other for other in self.programs if other.name != program.name]
        self.programs.append(program)
        program.start()
        self.record.write(self.programs)

    def pause(self, seconds: float) -> None:
        """Waits.

        Raises:
            StopRequested: somebody wants the shop to stop.
        """
        deadline = time.monotonic() + seconds
        while True:
            if self._requests or (self._parent is not None and os.getppid() != self._parent):
                raise StopRequested
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, TICK))

    def check(self) -> None:
        """Starts again what ended and may be started again.

        Raises:
            CannotStart: a program without which nothing works has ended, or one ends again and again that is needed.
        """
        for program in self.programs:
            code = program.exit_code()
            if code is None or time.monotonic() < self._rests_until.get(program.name, 0.0):
                continue
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            if not program.restarts:
                raise CannotStart(f"{program.title} {how}, so everything was stopped; its words are in {program.log}.")
            if program.name in self._rests_until:
                del self._rests_until[program.name]
                self.console.say(f"  {program.title} is tried anew.")
            elif self._ends_too_often(program, how):
                self._rests_until[program.name] = time.monotonic() + REST
                continue
            else:
                self.console.say(f"  {program.title} {how} and is started again; its words are in {program.log}.")
            program.kill()
            program.start()
            self.record.write(self.programs)

    def watch(self) -> None:
        """Watches the programs until somebody wants the shop to stop (StopRequested) or it cannot go on."""
        while True:
            self.check()
            self.pause(0.5)

    def stop(self) -> None:
        """Stops everything, the last started first. A second Ctrl-C ends the waiting.

        The programs that only use the services are asked together, and have ended before the services are asked.
        """
        requests = max(self._requests, 1)
        for program in reversed(self.programs):
            if not program.serves:
                program.ask_to_stop()
        for program in reversed(self.programs):
            program.stop(hurry=lambda: self._requests > requests)
        self.programs = []
        self.record.forget()

    def _ends_too_often(self, program: Program, how: str) -> bool:
        """Counts an end, and says so if there were too many. Raises CannotStart for a program that is needed."""
        now = time.monotonic()
        times = self._restarts.setdefault(program.name, deque())
        times.append(now)
        while now - times[0] > RESTARTS_WITHIN:
            times.popleft()
        if len(times) <= RESTARTS_AT_MOST:
            return False
        last = next((line.strip() for line in reversed(program.last_words().splitlines()) if line.strip()), "")
        often = f"{program.title} {how} {len(times)} times within a minute"
        words = f"{f': {last}' if last else ''} All its words are in {program.log}."
        if not program.is_spared:
            raise CannotStart(f"{often}, so everything was stopped{words}")
        times.clear()
        self.console.say(f"  {often}; the shop goes on without it, and it is tried anew in {REST:.0f} seconds{words}")
        return True

    def _note_request(self, number: int, frame: FrameType | None) -> None:
        self._requests += 1
