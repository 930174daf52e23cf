"""The locks on accounts: the group of the admins first, then users by id.

The group is the gate through which everything passes that could take the last active admin away. It has to be
a lock of its own: PostgreSQL re-reads a row that it waited for, but not the rows joined to it, so a lock on
the admins' own rows would still count somebody whose role has just been taken away. Whoever holds these locks
takes no lock of another app.
"""

from collections.abc import Collection
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group

from users.choices import Role
from users.errors import UserMissing
from users.models import OutgoingMail, User


def lock_admins() -> None:
    """Lets one transaction at a time decide who is an admin. Taken before `lock_users`."""
    # Without FOR UPDATE's full strength: giving somebody a role only needs the group's key.
    Group.objects.select_for_update(no_key=True).get(name=Role.ADMIN)


def lock_users(user_ids: Collection[int]) -> list[User]:
    """Locks these users in the order of their ids, and reads them anew; raises UserMissing."""
    users = list(User.objects.select_for_update(no_key=True).filter(pk__in=user_ids).order_by("pk"))
    missing = sorted(set(user_ids) - {user.pk for user in users})
    if missing:
        raise UserMissing(missing[0])
    return users


def lock_user(user_id: int) -> User:
    """Locks one user and reads it anew; raises UserMissing."""
    return lock_users([user_id])[0]


def lock_second_factor(user_id: int) -> dict[str, Authenticator]:
    """Locks what the account's codes are checked by, and reads it anew, by type. After `lock_user`, if both."""
    rows = Authenticator.objects.select_for_update().filter(user_id=user_id).order_by("pk")
    return {row.type: row for row in rows}


def claim_next_mail(now: datetime) -> OutgoingMail | None:
    """Locks the next mail that is due; one that another worker holds is passed over."""
    due = OutgoingMail.objects.filter(next_attempt_at__lte=now).order_by("pk")
    return due.select_for_update(skip_locked=True, of=("self",)).first()
