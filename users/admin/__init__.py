"""The pages of accounts and of one's own API tokens."""

from users.admin.api_tokens import ApiTokenAdmin
from users.admin.library_pages import take_library_pages_away
from users.admin.users import UserAdmin

__all__ = ["ApiTokenAdmin", "UserAdmin"]

take_library_pages_away()
