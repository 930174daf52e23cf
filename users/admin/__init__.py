"""The pages of accounts and of one's own API tokens."""

from users.admin.api_tokens import ApiTokenAdmin
from users.admin.groups import take_groups_away
from users.admin.users import UserAdmin

__all__ = ["ApiTokenAdmin", "UserAdmin"]

take_groups_away()
