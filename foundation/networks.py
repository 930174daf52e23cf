"""Networks as variables of the environment name them. Knows nothing of Django: the settings import it."""

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def read_networks(words: Iterable[str]) -> list[Network]:
    """The networks: 10.0.0.0/8, 192.0.2.7, ::1/128. Raises ValueError for what is none."""
    return [ipaddress.ip_network(word.strip(), strict=False) for word in words if word.strip()]
