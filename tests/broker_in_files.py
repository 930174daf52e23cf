"""The broker in files, as the shop has it where there is no Redis."""

from pathlib import Path

from kombu.transport import filesystem

from project.embedded.redis_server import file_broker


def new_broker(home: Path) -> dict[str, str]:
    """The variables of a broker in this folder. A process has one such broker, and remembers which queues it has
    bound there: for the next one that has to be forgotten, or messages go nowhere."""
    filesystem.Transport.global_state.clear()
    return file_broker(home)
