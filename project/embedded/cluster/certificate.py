"""The certificate by which the etcds of the trial cluster know each other and the Patronis, and nobody else: who can
write to etcd rules the nodes."""

import datetime
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from foundation.programs.account import Account
from project.embedded.cluster.node import HOST
from project.embedded.places import make_private

LASTS = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Certificate:
    """One pair of files for all of them, signed by itself: whoever has the key belongs to the cluster."""

    folder: Path

    @property
    def public(self) -> Path:
        return self.folder / "etcd.crt"

    @property
    def key(self) -> Path:
        return self.folder / "etcd.key"

    def context(self) -> ssl.SSLContext:
        """For our own questions."""
        context = ssl.create_default_context(cafile=str(self.public))
        context.load_cert_chain(self.public, self.key)
        return context


def certificate_in(home: Path, account: Account | None, *, now: datetime.datetime) -> Certificate:
    """The one of these nodes, made at the first start; only `account` (and root) can read its key."""
    certificate = Certificate(home / "certificate")
    if certificate.public.is_file():
        return certificate
    make_private(certificate.folder)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate.key.unlink(missing_ok=True)
    with os.fdopen(os.open(certificate.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    # Last: where it is, the key is whole.
    certificate.public.write_bytes(_signed(key, now).public_bytes(serialization.Encoding.PEM))
    if account:
        account.own(certificate.folder)
    return certificate


def _signed(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "samovar trial cluster")])
    public = key.public_key()
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        **dict.fromkeys(
            (
                *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
                *("crl_sign", "encipher_only", "decipher_only"),
            ),
            False,
        ),
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
