"""Where allauth asks the shop: who may sign in, how passwords are set, how secrets are kept.

Every answer is a call of one of our services, so that there is no second way to make or change an account.
"""

from contextlib import suppress
from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from foundation.encryption import decrypt, encrypt
from foundation.errors import Refusal
from foundation.shop import current_shop
from users import selectors
from users.errors import TooManyMails
from users.pages.site import language_of, site_of
from users.request import client_address
from users.services import email_addresses
from users.tasks import hand_over_mails


class AccountAdapter(DefaultAccountAdapter):
    """The steps of signing in are allauth's; what they check and write is the shop's."""

    request: HttpRequest

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_ajax(self, request: HttpRequest) -> bool:
        """Only pages: allauth would answer whoever asks for JSON with a second, unwatched form of each."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> NoReturn:
        raise NotImplementedError("Passwords are looked at by users.services.sign_in alone.")

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> NoReturn:
        raise NotImplementedError("Accounts are made by users.services.accounts alone.")

    def set_password(self, user: Any, password: str) -> NoReturn:
        raise NotImplementedError("Passwords are set by users.services.accounts alone.")

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Whoever has a second factor is asked for that: the password alone must not switch it off."""
        if not user.is_authenticated:
            return []
        name = "mfa_reauthenticate" if selectors.has_second_factor(user) else "account_reauthenticate"
        return [{"id": name.removeprefix("account_"), "description": "", "url": reverse(name)}]

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        try:
            email_addresses.confirm_email(address_id=email_address.pk)
        except Refusal:
            return False
        hand_over_mails()
        return True

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Called at the sign-in of somebody who has not confirmed yet. A sign-up has its mail from the service."""
        if signup:
            return
        # With too many mails already, those that have been sent still hold good links.
        with suppress(TooManyMails):
            email_addresses.send_confirmation_again(
                address_id=emailconfirmation.email_address.pk,
                site=site_of(request),
                language=language_of(request),
                address=client_address(request),
            )
        hand_over_mails()

    def send_account_already_exists_mail(self, email: str) -> None:
        """The service that was asked for a sign-up has written it already."""

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_login"))


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are kept under the shop's keys; the app on the phone shows the shop's name."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return current_shop().name

    def get_totp_label(self, user: Any) -> str:
        return str(user.email)
