"""The edge to the network: how a message gets to a chat, a mailbox, a telephone or a program."""

from monitoring.channels.base import (
    Address,
    ChannelBusy,
    ChannelError,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
)
from monitoring.channels.sending import send

__all__ = [
    "Address",
    "ChannelBusy",
    "ChannelError",
    "ChannelRefused",
    "ChannelUnreachable",
    "Message",
    "MessageRefused",
    "send",
]
