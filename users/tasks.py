"""The users' mails and housekeeping."""

from celery import shared_task
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from users.services import outbox, sign_in_limit, tokens


@shared_task
def send_waiting_mails() -> None:
    """Sends every mail that is due. Two at once do no harm: each mail is claimed."""
    while outbox.send_next_mail(now=timezone.now()):
        pass


def hand_over_mails() -> None:
    """Has the outbox emptied when the transaction is through. A message that is lost, with a broker that is down,
    costs a minute: beat asks for the same."""
    transaction.on_commit(lambda: send_waiting_mails.delay(), robust=True)


@shared_task
def forget_old_sign_in_counts() -> int:
    """Deletes the counts of sign-in attempts that no limit looks at any more."""
    return sign_in_limit.forget_old_counts(now=timezone.now())


@shared_task
def forget_expired_tokens() -> int:
    """Deletes API tokens that have expired."""
    return tokens.forget_expired_tokens(now=timezone.now())


@shared_task
def forget_expired_sessions() -> int:
    """Deletes the sessions of people who have not come back in time."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
