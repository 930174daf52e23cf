"""The other side of the channels, in the place of the network: takes messages, or fails as it is told."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from monitoring.channels.base import Address, ChannelError, Message


@dataclass
class Receiver:
    """`received` holds the messages by the name of their channel; `faults` what a channel answers next, in order
    (None: it takes the message); `before` is called before each answer."""

    received: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    attempts: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, list[ChannelError | None]] = field(default_factory=lambda: defaultdict(list))
    broken: dict[str, ChannelError] = field(default_factory=dict)
    before: Callable[[Address, Message], None] | None = None
    new_address: str | None = None

    def send(self, address: Address, message: Message) -> str | None:
        if self.before is not None:
            self.before(address, message)
        self.attempts.append((address.name, message.key))
        fault = self.broken.get(address.name)
        if fault is None and self.faults[address.name]:
            fault = self.faults[address.name].pop(0)
        if fault is not None:
            raise fault
        self.received[address.name].append(message)
        return self.new_address

    def texts(self, channel: str) -> list[str]:
        return [message.text for message in self.received[channel]]
