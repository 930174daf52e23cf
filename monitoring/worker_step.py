"""A worker's signs of life: a step of its start, which Celery takes again after every loss of the broker."""

from typing import Any

from celery import bootsteps

from monitoring.services.heartbeats import WORKER, PulseThread

# Seconds between two proofs that the worker's loop turns.
TURN_EVERY = 5


class PulseStep(bootsteps.StartStopStep):
    """Gives signs of life while the worker is connected to its broker and its loop turns.

    The loop only says that it turns; the database is told by a thread, so that one that is away holds up no task. A
    worker that waits for its broker gives no signs: it works nothing.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self.thread: PulseThread | None = None
        self.entry: Any = None

    def start(self, consumer: Any) -> None:
        self.thread = PulseThread(f"{WORKER}:{consumer.hostname}"[:200])
        self.entry = consumer.timer.call_repeatedly(TURN_EVERY, self.thread.turn)
        self.thread.start()

    def stop(self, consumer: Any) -> None:
        if self.entry is not None:
            self.entry.cancel()
            self.entry = None
        if self.thread is not None:
            self.thread.stop()
            self.thread = None

    # At the worker's end Celery may call only this one.
    shutdown = stop
