"""What stands around every page of the public face: `{% load shop_frame %}{% shop_frame as frame %}`."""

from typing import Any

from django import template
from django.template import Context

from foundation.shop import current_shop
from orders.pages.session_cart import Cart

register = template.Library()

ACCOUNTS = "/accounts/"


class Frame:
    """The header and the footer's values for the person who asks. Asks the database nothing by itself."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.user = getattr(request, "user", None)

    @property
    def shop_name(self) -> str:
        return current_shop().name

    @property
    def cart_count(self) -> int:
        """How many drinks are in the cart."""
        session = getattr(self.request, "session", None)
        return Cart(session).count if session is not None else 0

    @property
    def is_signed_in(self) -> bool:
        return bool(self.user and self.user.is_authenticated)

    @property
    def is_staff(self) -> bool:
        """Whether the person may enter the admin."""
        return bool(self.user and self.user.is_active and getattr(self.user, "is_staff", False))

    @property
    def path(self) -> str:
        """Where the person is, to come back to."""
        return self.request.get_full_path() if self.request is not None else "/"

    @property
    def path_after_sign_in(self) -> str:
        """Where somebody who signs in from here goes on: not back to a page of signing in."""
        return "/" if self.path.startswith(ACCOUNTS) else self.path


@register.simple_tag(takes_context=True)
def shop_frame(context: Context) -> Frame:
    """The frame of the page that is shown."""
    return Frame(context.get("request"))
