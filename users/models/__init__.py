from users.models.user import User

__all__ = ["User"]
