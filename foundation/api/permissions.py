"""Who may do what over REST: one Django permission for each action of a view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.http import Http404
from rest_framework.permissions import BasePermission

if TYPE_CHECKING:
    # DRF loads this module while it is loading its views.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class ActionPermissions(BasePermission):
    """Asks for the permission that the view names for the action.

    A view declares `action_permissions = {"list": "inventory.view_product", "create": …}`: by DRF's action
    name in a viewset, by the HTTP method in lower case in a plain APIView. A tuple of permissions admits whoever
    has one of them, `None` everybody who has signed in. An action that is not named is refused, so that a
    forgotten line locks a door and never opens it.

    A token may be bound to a part of the data (`binding_of`). To such a token there is nothing (404) but the views
    that say `serves_bound_tokens = True`, which then show that part alone.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if binding_of(request) and not getattr(view, "serves_bound_tokens", False):
            raise Http404
        action = asked_action(request, view)
        if action is None:
            return True
        named: Mapping[str, str | tuple[str, ...] | None] = getattr(view, "action_permissions", {})
        if action not in named:
            return False
        permission = named[action]
        if permission is None:
            return True
        alternatives = (permission,) if isinstance(permission, str) else permission
        return any(request.user.has_perm(one) for one in alternatives)


def binding_of(request: Request) -> str:
    """The external user whose data the token of this request is bound to; empty for any other token and a session."""
    return getattr(request.auth, "external_user_id", "")


def asked_action(request: Request, view: APIView) -> str | None:
    """The name under which the view lists its permission.

    None for what the view has no handler for (DRF answers 405) and for OPTIONS, which only describes.
    """
    method = (request.method or "").lower()
    if method == "options":
        return None
    if hasattr(view, "action_map"):
        return getattr(view, "action", None)
    if not hasattr(view, method):
        return None
    # A plain view answers HEAD with its handler of GET.
    return "get" if method == "head" else method
