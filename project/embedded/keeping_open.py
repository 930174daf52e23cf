"""What every long-running command has in common: one at a time in a folder, stopped in order, told in sentences."""

from collections.abc import Callable

from project.embedded.console import Console
from project.embedded.errors import CannotStart, StopRequested, sentence_of
from project.embedded.lock import STOPPING, FolderLock
from project.embedded.supervisor import Supervisor


def keep_open(run: Callable[[], None], *, lock: FolderLock, supervisor: Supervisor, console: Console, end: str) -> int:
    """Runs `run`, which takes the lock, until it is asked to stop; then everything is stopped that was launched.

    Returns the exit code: 0 if it was asked to, and `end` is said then; 1 if it could not start.
    """
    code = 0
    try:
        run()
    except StopRequested:
        console.say("\nStopping …")
    except CannotStart as refusal:
        console.complain(f"\n{refusal}")
        code = 1
    except OSError as error:
        console.complain(f"\n{sentence_of(error)}")
        code = 1
    finally:
        if lock.is_held:
            lock.tell(state=STOPPING)
            supervisor.stop()
            lock.release()
    if code == 0:
        console.say(end)
    return code
