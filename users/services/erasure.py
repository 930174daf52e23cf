"""An account whose owner wants to be forgotten: the row stays, because documents name it; the person goes."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q

from foundation.services.forgetting import forget_answers, forget_log_of
from users.models import OutgoingMail, User
from users.services.accounts import deactivate_user


@transaction.atomic
def erase_account(*, user_id: int) -> User:
    """Shuts the account for good and takes everything personal off it: e-mail, name, password, tokens, sessions, the
    second factor, mails that wait, answers kept for repeats. Once more changes nothing.

    Raises UserMissing, LastAdmin.
    """
    user = deactivate_user(user_id=user_id)
    OutgoingMail.objects.filter(Q(user=user) | Q(to__iexact=user.email)).delete()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user_id, email=user.email)
    forget_answers(user_id=user_id)
    forget_log_of(model="users.user", object_ids=[user_id])
    user.email, user.name = erased_email(user_id), ""
    user.password = make_password(None)
    user.save(update_fields=["email", "name", "password"])
    return user


def erased_email(user_id: int) -> str:
    """The address that stands for somebody who was erased; nobody can own one that ends so (RFC 2606)."""
    return f"erased-{user_id}@erased.invalid"


def end_sessions(user_id: int, *, email: str) -> None:
    """Deletes the user's sessions, and those in which somebody has only begun to sign in or up with their e-mail.
    Whose they are stands inside of them, so all are looked at."""
    theirs = [
        session.pk
        for session in Session.objects.iterator(chunk_size=1000)
        if (said := session.get_decoded()).get("_auth_user_id") == str(user_id) or email in str(said).casefold()
    ]
    Session.objects.filter(pk__in=theirs).delete()
