"""Signing in to the API and out of it, and who is asking."""

from typing import cast

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users import selectors
from users.api.authentication import ApiTokenAuthentication
from users.api.serializers import CredentialsSerializer, IssuedTokenSerializer, MeSerializer
from users.errors import CodeNeeded, TooManySignIns
from users.models import ApiToken
from users.request import client_address, signed_in_user
from users.services import sign_in, tokens


class CodeRequired(APIException):
    """The password alone does not open this account."""

    status_code = 401
    default_code = CodeNeeded.code
    # Every 401 says how to come in: https://www.rfc-editor.org/rfc/rfc9110#name-401-unauthorized
    auth_header = "Token"


@method_decorator(never_cache, name="dispatch")
class TokenView(APIView):
    """Exchanges e-mail and password, and a code where the account asks for one, for a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        tags=["auth"],
        summary="Sign in",
        request=CredentialsSerializer,
        responses={
            200: IssuedTokenSerializer,
            400: OpenApiResponse(
                description="`invalid`: e-mail, password or code is wrong, or the account is switched off."
            ),
            401: OpenApiResponse(description="`mfa_required`: the password is right; send it again with `code`."),
            429: OpenApiResponse(description="`throttled`: too many attempts; `Retry-After` says when to try again."),
        },
        auth=[],
    )
    @method_decorator(sensitive_variables())
    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        try:
            issued = sign_in.sign_in_for_token(**credentials.validated_data, address=client_address(request._request))
        except CodeNeeded as refusal:
            raise CodeRequired(refusal.detail) from None
        except TooManySignIns as refusal:
            throttled = Throttled(detail=refusal.detail)
            throttled.wait = refusal.retry_after  # type: ignore[attr-defined]
            raise throttled from None
        return Response(IssuedTokenSerializer(issued).data)


class LogoutView(APIView):
    """Revokes the token that the request carries."""

    authentication_classes = (ApiTokenAuthentication,)
    action_permissions = {"post": None}
    serves_bound_tokens = True

    @extend_schema(
        tags=["auth"], summary="Sign out: revoke the token of this request", request=None, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        token = cast(ApiToken, request.auth)
        tokens.revoke_token(user=token.user, token_id=token.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    """The account of whoever is asking."""

    action_permissions = {"get": None}
    serves_bound_tokens = True

    @extend_schema(tags=["users"], summary="Who I am and what I may do", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        user = signed_in_user(request._request)
        return Response(
            MeSerializer(
                {
                    "id": user.pk,
                    "email": user.email,
                    "name": user.name,
                    "role": user.role,
                    "language": user.language,
                    "permissions": selectors.permissions_of(user),
                }
            ).data
        )
