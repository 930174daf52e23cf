"""Who sent a request, and from where."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from foundation.client_address import client_address
from users.models import User

__all__ = ["client_address", "signed_in_user"]


def signed_in_user(request: HttpRequest) -> User:
    """Returns who sent the request; raises PermissionDenied for somebody who has not signed in."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied
