"""Messages to a program: one POST of JSON, signed.

    POST <the channel's address>
    Content-Type: application/json
    Idempotency-Key: <key>            the same when the same message comes again
    X-Samovar-Delivery: <key>
    X-Samovar-Signature: t=<seconds since 1970>,v1=<hex>

v1 is HMAC-SHA256, with the channel's key, of the seconds, a full stop and the body as it came. A receiver refuses what
is older than a few minutes, so that nobody can play an old one to it again.
"""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from monitoring.channels import wire
from monitoring.channels.base import (
    Address,
    ChannelBusy,
    ChannelRefused,
    ChannelUnreachable,
    Message,
    MessageRefused,
)

# 413: too large, 422: understood, and impossible. Any other 4xx may be a receiver that is being put right.
NEVER_THIS_MESSAGE = (413, 422)


def send(address: Address, message: Message) -> None:
    """Posts it once. Taken is what is answered with 2xx; the answer's body is not looked at.

    429 and 503 with Retry-After: ChannelBusy; 410 (gone): ChannelRefused; 413 and 422: MessageRefused; a redirect, any
    other status, no answer: ChannelUnreachable.
    """
    body = json.dumps(body_of(message), cls=PlainEncoder, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": message.key,
        "X-Samovar-Delivery": message.key,
    }
    if address.secret:
        headers["X-Samovar-Signature"] = signature(address.secret, body, at=int(time.time()))
    answer = wire.post(address.address, service=_("The webhook"), data=body, headers=headers)
    if 200 <= answer.status < 300:
        return
    sentence = _("The webhook answers with %(status)d.") % {"status": answer.status}
    if answer.status == 429 or (answer.status == 503 and "Retry-After" in answer.headers):
        raise ChannelBusy(wire.asked_to_wait(answer.headers), sentence)
    if answer.status == 410:
        raise ChannelRefused(sentence)
    if answer.status in NEVER_THIS_MESSAGE:
        raise MessageRefused(sentence)
    if 300 <= answer.status < 400:
        raise ChannelUnreachable(_("The webhook points to another address, which is not followed. Enter that one."))
    raise ChannelUnreachable(sentence)


def body_of(message: Message) -> dict[str, Any]:
    return {
        "id": message.key,
        "severity": message.severity,
        "title": message.title,
        "text": message.text,
        "data": dict(message.data),
        "picture": b64encode(message.picture).decode() if message.picture else None,
    }


def signature(key: str, body: bytes, *, at: int) -> str:
    """The value of X-Samovar-Signature; `at` are seconds since 1970."""
    digest = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class PlainEncoder(DjangoJSONEncoder):
    """What JSON and Django's encoder do not know becomes text: an odd value loses no alert."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)
