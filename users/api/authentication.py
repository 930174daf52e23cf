"""The API's tokens at its door, and in its schema."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from users.models import ApiToken, User


class ApiTokenAuthentication(TokenAuthentication):
    """`Authorization: Token …`, with one query per request.

    knox's own looks through all of the user's tokens at every request, and fails on a header that is not UTF-8.
    Expired tokens are refused here and deleted by a task.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """Returns the user and the token; raises AuthenticationFailed for what doesn't open the door."""
        try:
            digest = hash_token(token.decode("ascii"))
        except UnicodeDecodeError:
            raise self._refused() from None
        record = ApiToken.objects.select_related("user").filter(digest=digest, expires_at__gt=timezone.now()).first()
        if record is None or not record.user.is_active:
            raise self._refused()
        return record.user, record

    def _refused(self) -> AuthenticationFailed:
        return AuthenticationFailed(
            _("This token is unknown, has expired, or its account is switched off. Sign in again for a new one.")
        )


class ApiTokenScheme(OpenApiAuthenticationExtension):
    """How Swagger UI asks for the token."""

    target_class = ApiTokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Token")  # noqa: S106
