"""The verbs of accounts: make one, change it, give a role, deactivate, reactivate, set a password.

Nobody is deleted: documents name people. Two rules hold on every way: an e-mail opens one account, and the
last active admin stays one.
"""

from collections.abc import Collection

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from users import selectors
from users.choices import MailKind, Role
from users.errors import LastAdmin, UserMissing
from users.locks import lock_admins, lock_user, lock_users
from users.models import User
from users.services.email_addresses import keep_confirmed_email, keep_email, write_with_free_email
from users.services.outbox import post_mail
from users.services.passwords import require_good_password
from users.services.tokens import revoke_all_tokens


def create_user(
    *, email: str, role: str, password: str | None, name: str = "", language: str = "", is_confirmed: bool = True
) -> User:
    """Makes an account with a role; without a password nobody can sign in to it until one is set.

    `is_confirmed` says that somebody of the shop vouches for the e-mail; else its owner has to open a link first.
    Raises InvalidInput at the field: EmailTaken, WeakPassword, an unknown role or language, no e-mail address.
    """
    user = User(email=User.objects.normalize_email(email), name=name.strip(), language=language)
    _require_valid(user, role=role)
    if password is not None:
        require_good_password(password, user=user)
    # Before the transaction: hashing is slow on purpose.
    user.password = make_password(password)
    user.is_staff = _enters_the_admin(role)
    with transaction.atomic():
        write_with_free_email(user)
        keep_email(user, is_confirmed=is_confirmed)
        user.groups.add(Group.objects.get(name=role))
    return user


def update_user(*, user_id: int, email: str, name: str, role: str, is_active: bool, language: str = "") -> User:
    """Changes what an account's page shows: role and whether it is active included.

    Raises UserMissing, LastAdmin, and InvalidInput at the field: EmailTaken, an unknown role or language, no
    e-mail address.
    """
    with transaction.atomic():
        lock_admins()
        user = lock_user(user_id)
        email_before = user.email
        user.email, user.name, user.language = User.objects.normalize_email(email), name.strip(), language
        _require_valid(user, role=role)
        write_with_free_email(user, update_fields=["email", "name", "language"])
        if user.email != email_before:
            keep_confirmed_email(user)
        if user.is_active and not is_active:
            _shut([user])
        _give_role(user, role)
        if is_active and not user.is_active:
            _open([user])
    return user


def change_role(*, user_id: int, role: str) -> User:
    """Gives the account this role in place of the one it had; raises UserMissing, LastAdmin, InvalidInput."""
    _require_role(role)
    with transaction.atomic():
        lock_admins()
        user = lock_user(user_id)
        _give_role(user, role)
    return user


def deactivate_user(*, user_id: int) -> User:
    """Shuts the account: sessions stop working, API tokens are deleted. Raises UserMissing, LastAdmin."""
    return deactivate_users(user_ids=[user_id])[0]


def deactivate_users(*, user_ids: Collection[int]) -> list[User]:
    """Shuts these accounts, all or none, and returns them; one that is shut already stays so.

    Raises UserMissing, and LastAdmin if no active admin would be left.
    """
    with transaction.atomic():
        lock_admins()
        users = lock_users(user_ids)
        _shut(users)
    return users


def reactivate_user(*, user_id: int) -> User:
    """Opens the account again, with its password and role; its API tokens are gone. Raises UserMissing."""
    return reactivate_users(user_ids=[user_id])[0]


def reactivate_users(*, user_ids: Collection[int]) -> list[User]:
    """Opens these accounts again, all or none, and returns them. Raises UserMissing."""
    with transaction.atomic():
        users = lock_users(user_ids)
        _open(users)
    return users


def set_password(*, user_id: int, password: str) -> User:
    """Sets a password: every session of the account ends, its API tokens are deleted.

    Raises UserMissing and WeakPassword.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise UserMissing(user_id)
    require_good_password(password, user=user)
    hashed = make_password(password)
    with transaction.atomic():
        user = lock_user(user_id)
        put_password(user, hashed)
    return user


def put_password(user: User, hashed: str) -> None:
    """Gives the locked user this password, ends what the old one has opened, and tells its owner by mail."""
    user.password = hashed
    user.save(update_fields=["password"])
    revoke_all_tokens(user_ids=[user.pk])
    post_mail(kind=MailKind.PASSWORD_CHANGED, to=user.email, user=user, language=user.language)


def _give_role(user: User, role: str) -> None:
    """Moves the locked user into the role's group; the admins are locked too."""
    if user.role == role:
        return
    if user.role == Role.ADMIN and user.is_active:
        _require_another_admin(than=[user.pk])
    user.groups.set([Group.objects.get(name=role)])
    user.is_staff = _enters_the_admin(role)
    user.save(update_fields=["is_staff"])


def _shut(users: Collection[User]) -> None:
    """Deactivates the locked users; the admins are locked too."""
    user_ids = [user.pk for user in users]
    if selectors.active_admins().filter(pk__in=user_ids).exists():
        _require_another_admin(than=user_ids)
    User.objects.filter(pk__in=user_ids).update(is_active=False)
    revoke_all_tokens(user_ids=user_ids)
    for user in users:
        user.is_active = False


def _open(users: Collection[User]) -> None:
    """Reactivates the locked users."""
    User.objects.filter(pk__in=[user.pk for user in users]).update(is_active=True)
    for user in users:
        user.is_active = True


def _require_another_admin(*, than: Collection[int]) -> None:
    if not selectors.active_admins().exclude(pk__in=than).exists():
        raise LastAdmin


def _enters_the_admin(role: str) -> bool:
    return role != Role.CUSTOMER


def _require_valid(user: User, *, role: str) -> None:
    _require_role(role)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as refusal:
        raise InvalidInput(" ".join(refusal.messages), errors=refusal.message_dict) from None


def _require_role(role: str) -> None:
    if role not in Role.values:
        raise InvalidInput.at(
            "role", _("There is no role %(role)s. Choose one of: %(roles)s.") % {"role": role, "roles": ", ".join(Role)}
        )
