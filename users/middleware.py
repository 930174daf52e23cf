"""Shows the interface in the language of the person who signed in."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from users.models import User


class AccountLanguageMiddleware:
    """Puts the account's language into the language cookie at sign-in, and uses it where the cookie is missing.

    Everything else Django's LocaleMiddleware does with that cookie. So a till that several people use speaks
    each one's language, and somebody who picks another language in the menu keeps it until the next sign-in.
    Stands after AuthenticationMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            self._speak_to(request)
        # Only a POST signs somebody in. The session tells, not request.user: the API sets that for its tokens.
        may_sign_in = request.method == "POST"
        before = request.session.get(SESSION_KEY) if may_sign_in else None
        response = self.get_response(request)
        has_signed_in = may_sign_in and request.session.get(SESSION_KEY) not in (None, before)
        if has_signed_in and (language := _language_of(request)):
            _remember(response, language)
        return response

    def _speak_to(self, request: HttpRequest) -> None:
        if language := _language_of(request):
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language()


def _language_of(request: HttpRequest) -> str:
    return request.user.language if isinstance(request.user, User) else ""


def _remember(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
