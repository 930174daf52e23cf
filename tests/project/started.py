"""A long-running command that was started in a checkout."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Started:
    """The command, with what it has said so far; it is open once it has said `open_words`."""

    def __init__(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], open_words: str
    ) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )
        self.words = ""
        while open_words not in self.words:
            line = self.process.stdout.readline()
            self.words += line
            assert line, self.words

    def press_ctrl_c(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        self.words += self.process.communicate(timeout=120)[0]
        return self.process.returncode
