"""Going on from a right password to the page that asks for the code."""

from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_login, perform_password_login
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse

from users import selectors
from users.models import User


def second_step(request: HttpRequest, user: User, *, then: str | None) -> HttpResponse:
    """Signs in the user whose password was right, or sends to what is still missing: the link of the mail, a code.

    Args:
        then: where to go on afterwards; the settings' page if None.
    """
    confirmed = selectors.email_is_confirmed(user)
    login = Login(
        user=user,
        email=user.email,
        redirect_url=then,
        email_verification=EmailVerificationMethod.NONE if confirmed else EmailVerificationMethod.MANDATORY,
    )
    return perform_password_login(request, {"email": user.email}, login)


def wait_for_confirmation(request: HttpRequest, user: User | None, *, email: str, then: str | None) -> HttpResponse:
    """Answers a sign-up, whether or not it has made an account.

    The session keeps it, so that the link, opened in the same browser, signs in and goes on to `then`.
    """
    return perform_login(request, Login(user=user, email=email, redirect_url=then, signup=True))
