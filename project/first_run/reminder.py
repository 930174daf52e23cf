"""What the home page says to the admin: that the shop is a demo, or what setting it up has left for later."""

from typing import Any

from django.http import HttpRequest

from foundation.shop import current_shop
from project.first_run.steps import progress
from users.models import User


def reminder(request: HttpRequest) -> dict[str, Any]:
    """For the admin alone. Two queries, and none in a demo or once nothing is left."""
    if not isinstance(request.user, User) or not request.user.has_perm("foundation.change_shop"):
        return {}
    shop = current_shop()
    if shop.is_demo:
        return {"is_demo": True}
    if not shop.has_skipped_steps:
        return {}
    return {"left_to_set_up": progress(request.user).left()}
