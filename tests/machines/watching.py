"""What happens between alerts and those who are told of them, at random: things go wrong, get worse and are over,
people acknowledge, channels are down, busy, refuse, and senders die at any statement and in any call.

Whatever happens: every alert arrives where the rules send it, its end after it and nothing after its end, in order,
and never twice unless somebody died in between.
"""

import datetime
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitoring.channels.base import (
    Address,
    ChannelBusy,
    ChannelError,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
)
from monitoring.models import Alert, AlertRule, Channel, Delivery, DeliveryAlert
from monitoring.services.alerts import notify, resolve
from monitoring.services.channels import send_test
from monitoring.services.dispatch import plan_deliveries
from monitoring.services.routing import rules_in_use, wishes_of
from monitoring.services.sending import LEASE, send_due
from tests.machines.marketplace import WorkerDied, dying_after
from tests.monitoring.conftest import LATE, LOW
from tests.monitoring.receiver import Receiver

EVENTS = (LOW, LATE, "test.news")
SUBJECTS = ("milk", "tea")
NAMES = ("Chat", "Mail", "Program")
ERRORS: tuple[Callable[[], Exception], ...] = (
    lambda: ChannelUnreachable("Nobody answers."),
    lambda: ChannelBusy(90),
    lambda: ChannelRefused("Kicked out."),
    lambda: MessageRefused("Too long."),
    lambda: ValueError("a fault of ours"),
)


class WatchingMachine(RuleBasedStateMachine):
    """Three channels: one is told everything and reminded, one what is critical, at night nothing else, one is told
    no ends and takes five messages an hour."""

    receiver: Receiver

    @initialize()
    def open(self) -> None:
        self.savepoint = transaction.atomic()
        # As those of a test case, it counts as no transaction of the program's.
        self.savepoint._from_testcase = True  # type: ignore[attr-defined]
        self.savepoint.__enter__()
        type(self).receiver.__init__()  # type: ignore[misc]
        self.now = timezone.now()
        self.uncertain: set[str] = set()
        chat, mail, program = (
            Channel.objects.create(name=name, kind="webhook", address="https://a.example/") for name in NAMES
        )
        Channel.objects.filter(name="Mail").update(quiet_from=datetime.time(22), quiet_until=datetime.time(7))
        Channel.objects.filter(name="Program").update(hourly_limit=5)
        for name, channels, fields in (
            ("all", [chat], {"severity": "info", "repeat_minutes": 15}),
            ("critical", [mail], {"severity": "critical"}),
            ("no ends", [program], {"tells_resolution": False, "group_seconds": 0}),
            ("twice", [chat], {"events": [LATE]}),
        ):
            made = AlertRule.objects.create(name=name, **fields)
            made.channels.set(channels)

    def teardown(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        try:
            self.settle()
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # --- what happens ---------------------------------------------------------------------------------

    @rule(event=st.sampled_from(EVENTS), subject=st.sampled_from(SUBJECTS), times=st.integers(1, 3))
    def happen(self, event: str, subject: str, times: int) -> None:
        for _time in range(times):
            notify(event=event, subject=subject, message=f"{event} {subject}")

    @rule(event=st.sampled_from(EVENTS), subject=st.sampled_from(SUBJECTS))
    def end(self, event: str, subject: str) -> None:
        resolve(event=event, subjects=[subject])

    @rule(
        event=st.sampled_from([LOW, LATE]),
        steps=st.lists(
            st.sampled_from(["happen", "another", "end", "send", "plan", "wait", "fail and send"]),
            min_size=4,
            max_size=10,
        ),
    )
    def tell_a_story(self, event: str, steps: list[str]) -> None:
        """Many things in a row about one subject: chance alone seldom puts them together."""
        for step in ["happen", *steps]:
            match step:
                case "happen" | "end" as verb:
                    getattr(self, verb)(event=event, subject="milk", **({"times": 1} if verb == "happen" else {}))
                case "plan":
                    self.plan()
                case "send":
                    send_due(sender="one", at=self.now)
                case "wait":
                    self.now += datetime.timedelta(seconds=30)
                case "another":
                    self.happen(event=LATE, subject="tea", times=1)
                    self.plan()
                case "fail and send":
                    self.plan()
                    self.receiver.faults["Chat"] = [ChannelUnreachable("Nobody answers.")]
                    send_due(sender="one", at=self.now)

    @rule(event=st.sampled_from(EVENTS), subject=st.sampled_from(SUBJECTS))
    def acknowledge(self, event: str, subject: str) -> None:
        Alert.objects.filter(event=event, subject=subject, resolved_at=None).update(acknowledged_at=self.now)

    @rule(span=st.sampled_from([10, 30, 60, 900, 3600, 36_000]))
    def time_passes(self, span: int) -> None:
        self.now += datetime.timedelta(seconds=span)

    @rule(name=st.sampled_from(["Chat", "Program"]))
    def be_down_while_two_things_happen(self, name: str) -> None:
        """Then both wait, and the first of them has failed."""
        self.receiver.broken[name] = ChannelUnreachable("Down.")
        for event, subject in ((LOW, "milk"), (LATE, "tea")):
            self.happen(event=event, subject=subject, times=1)
            self.watch("one")
            self.now += datetime.timedelta(seconds=90)
            self.watch("one")
        del self.receiver.broken[name]
        self.now += datetime.timedelta(minutes=5)
        self.watch("one")

    # --- channels -------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES), errors=st.lists(st.sampled_from(ERRORS), min_size=1, max_size=3))
    def fail(self, name: str, errors: list[Callable[[], ChannelError]]) -> None:
        """Its next answers."""
        self.receiver.faults[name] = [error() for error in errors]

    @rule(name=st.sampled_from(NAMES), is_down=st.booleans())
    def break_down(self, name: str, is_down: bool) -> None:
        self.receiver.broken.pop(name, None)
        if is_down:
            self.receiver.broken[name] = ChannelUnreachable("Down.")

    @rule(name=st.sampled_from(NAMES))
    def test(self, name: str) -> None:
        """A person tries the channel, which opens it again."""
        send_test(channel_id=Channel.objects.get(name=name).pk, at=self.now)

    # --- the watchdog ---------------------------------------------------------------------------------

    @rule()
    def plan(self) -> None:
        plan_deliveries(at=self.now)

    @rule(sender=st.sampled_from(["one", "two"]))
    def watch(self, sender: str) -> None:
        plan_deliveries(at=self.now)
        send_due(sender=sender, at=self.now)

    @rule(statement=st.integers(1, 25))
    def die_planning(self, statement: int) -> None:
        with dying_after(statement):
            plan_deliveries(at=self.now)

    @rule(statement=st.integers(1, 60), comes_back=st.booleans())
    def die_sending(self, statement: int, comes_back: bool) -> None:
        """At any statement: before a message goes out, or after, before that is noted."""
        before = len(self.receiver.attempts)
        with dying_after(statement):
            send_due(sender="one", at=self.now)
        self.uncertain |= {key for _name, key in self.receiver.attempts[before:]}
        self.come_back(comes_back)

    @rule(is_late=st.booleans(), comes_back=st.booleans())
    def die_in_a_call(self, is_late: bool, comes_back: bool) -> None:
        """Just before the message goes out, or just after."""

        def die(address: Address, message: Message) -> None:
            self.uncertain.add(message.key)
            if is_late:
                self.receiver.received[address.name].append(message)
            raise WorkerDied

        self.receiver.before = die
        with suppress(WorkerDied):
            send_due(sender="one", at=self.now)
        self.receiver.before = None
        self.come_back(comes_back)

    def come_back(self, at_once: bool) -> None:
        """Under its own name, or its claim runs out."""
        if at_once:
            send_due(sender="one", at=self.now)
        else:
            self.now += LEASE

    # --- what always holds ----------------------------------------------------------------------------

    @invariant()
    def nothing_arrives_twice_unless_somebody_died(self) -> None:
        for messages in self.receiver.received.values():
            keys = [message.key for message in messages]
            assert {key for key in keys if keys.count(key) > 1} <= self.uncertain

    @invariant()
    def messages_arrive_in_their_order(self) -> None:
        for name in NAMES:
            rows = Delivery.objects.filter(channel__name=name).values_list("key", "pk") if self.is_open else ()
            ids = {str(key): pk for key, pk in rows}
            arrived = [ids[key] for key in self.first_arrivals(name)] if self.is_open else []
            assert arrived == sorted(arrived)

    @invariant()
    def an_alert_begins_once_ends_once_and_nothing_follows(self) -> None:
        for name in NAMES:
            for told in self.told(name).values():
                kinds = [kind for kind, _is_over in told]
                ends = [is_over for _kind, is_over in told]
                assert kinds.count("alert") <= 1
                assert "alert" not in kinds[1:]
                assert True not in ends[:-1], told

    # --- the end --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Nothing fails any more: all that is to be told is told."""
        self.receiver.before = None
        self.receiver.faults.clear()
        self.receiver.broken.clear()
        for channel in Channel.objects.all():
            send_test(channel_id=channel.pk, at=self.now)
        for _hour in range(12):
            self.now += datetime.timedelta(hours=2)
            plan_deliveries(at=self.now)
            send_due(sender="one", at=self.now)
        plan_deliveries(at=self.now + datetime.timedelta(minutes=1))
        self.an_alert_begins_once_ends_once_and_nothing_follows()
        given_up = set(
            DeliveryAlert.objects.filter(delivery__status=Delivery.Status.GIVEN_UP).values_list(
                "channel_id", "alert_id"
            )
        )
        rules = rules_in_use()
        for channel in Channel.objects.all():
            told = self.told(channel.name)
            for alert in Alert.objects.all():
                wish = wishes_of(alert, rules).get(channel.pk)
                if wish is None:
                    assert alert.pk not in told
                elif (channel.pk, alert.pk) not in given_up:
                    assert told[alert.pk][0][0] == "alert"
                    is_news = alert.resolved_at == alert.created_at
                    assert told[alert.pk][-1][1] == (
                        alert.resolved_at is not None
                        and (wish.tells_resolution or is_news or self.was_over_when_told(channel, alert))
                    )

    def was_over_when_told(self, channel: Channel, alert: Alert) -> bool:
        return DeliveryAlert.objects.filter(channel=channel, alert=alert, tells_resolution=True).exists()

    # --- what the other side has seen -----------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return hasattr(self, "savepoint") and connection.in_atomic_block

    def first_arrivals(self, name: str) -> list[Any]:
        """The messages in the order in which they came, without those that came again, and without tests."""
        seen: dict[str, Message] = {}
        for message in self.receiver.received[name]:
            if message.data["kind"] != "test":
                seen.setdefault(message.key, message)
        return [*seen]

    def told(self, name: str) -> dict[int, list[tuple[str, bool]]]:
        """What the channel was told of each alert, in order: (what, whether it was said to be over)."""
        told: dict[int, list[tuple[str, bool]]] = {}
        first = {message.key: message for message in reversed(self.receiver.received[name])}
        for key in self.first_arrivals(name):
            for alert in first[key].data["alerts"]:
                told.setdefault(alert["id"], []).append((alert["kind"], alert["resolved_at"] is not None))
        return told
