"""Which SFTP servers are believed to be who they say. Needs paramiko, which only those have that send there."""

from pathlib import Path

import paramiko
from django.utils.translation import gettext as _


class KnownHostsOnly(paramiko.MissingHostKeyPolicy):
    """Believes a server whose key has the fingerprint that was given; without one, a server of ~/.ssh/known_hosts."""

    def __init__(self, fingerprint: str, known_hosts: Path) -> None:
        self.fingerprint = fingerprint
        self.known_hosts = known_hosts

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raises SSHException for a server that is not known; the sentence says its fingerprint."""
        if self.fingerprint:
            # As ssh-keygen shows it; base64's filling signs are left out there.
            is_known = key.fingerprint.rstrip("=") == self.fingerprint.rstrip("=")
        else:
            is_known = self.known_hosts.is_file() and paramiko.HostKeys(str(self.known_hosts)).check(hostname, key)
        if not is_known:
            raise paramiko.SSHException(
                _(
                    "The server shows the key %(fingerprint)s, which is not known. If it is the right one, add "
                    "host_key=%(fingerprint)s to its address in BACKUP_PLACES."
                )
                % {"fingerprint": key.fingerprint}
            )


def known_hosts_only(fingerprint: str = "") -> KnownHostsOnly:
    """The policy for a server, with the fingerprint (SHA256:…) that its URL gives."""
    return KnownHostsOnly(fingerprint, Path("~/.ssh/known_hosts").expanduser())
