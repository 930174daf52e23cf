"""An authenticator app, and the accounts that use one."""

import time
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value

from tests.users.conftest import NOON
from users.models import User
from users.services import second_factor

HERE = "192.0.2.1"


class App:
    """What somebody's phone shows."""

    def __init__(self, user: User) -> None:
        self.user, self.secret = user, generate_totp_secret()
        # Long ago, so that the tests may use every code that counts.
        second_factor.turn_on(user_id=user.pk, secret=self.secret, code=self.code(at=NOON), address=HERE, now=NOON)

    def code(self, *, at: datetime | None = None, later: int = 0) -> str:
        """The code at this moment, by default now; `later` periods of half a minute after it."""
        seconds = at.timestamp() if at else time.time()
        return format_hotp_value(hotp_value(self.secret, int(seconds) // 30 + later))

    def wrong_code(self) -> str:
        """Six digits that no period around now has."""
        near = {self.code(later=later) for later in range(-3, 4)}
        return next(
            code
            for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777")
            if code not in near
        )

    def recovery_codes(self) -> list[str]:
        """Those that are not used yet."""
        row = Authenticator.objects.get(user=self.user, type=Authenticator.Type.RECOVERY_CODES)
        return RecoveryCodes(row).get_unused_codes()
