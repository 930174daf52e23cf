"""The passwords of the trial cluster."""

from dataclasses import dataclass, field

from project.embedded.secrets_file import new_password


@dataclass(frozen=True)
class Passwords:
    """Of PostgreSQL's superuser, of the accounts by which standbys follow and old leaders are rewound, of the shop's
    account, and of Patroni's REST API."""

    superuser: str = field(default_factory=new_password)
    replication: str = field(default_factory=new_password)
    rewinding: str = field(default_factory=new_password)
    shop: str = field(default_factory=new_password)
    rest: str = field(default_factory=new_password)
