"""What the person at the keyboard reads. Logs go to `var/log`, so the console stays short."""

import sys
from typing import TextIO


class Console:
    """Writes short lines; a closed terminal is no reason to stop in the middle of something."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr

    def say(self, text: str = "") -> None:
        self._write(self.out, text)

    def step(self, name: str, text: str) -> None:
        """One finished step of the start."""
        self.say(f"  {name:<14}{text}")

    def complain(self, sentence: str) -> None:
        self._write(self.err, sentence)

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        try:
            try:
                stream.write(text + "\n")
            except UnicodeEncodeError:
                stream.write(text.encode("ascii", "backslashreplace").decode() + "\n")
            stream.flush()
        except OSError:
            pass
