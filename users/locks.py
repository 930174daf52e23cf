"""The locks on accounts: the group of the admins first, then users by id.

The group is the gate through which everything passes that could take the last active admin away. It has to be
a lock of its own: PostgreSQL re-reads a row that it waited for, but not the rows joined to it, so a lock on
the admins' own rows would still count somebody whose role has just been taken away. Whoever holds these locks
takes no lock of another app.
"""

from collections.abc import Collection

from django.contrib.auth.models import Group

from users.choices import Role
from users.errors import UserMissing
from users.models import User


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
