from users.models.api_token import ApiToken
from users.models.outgoing_mail import OutgoingMail
from users.models.sign_in_count import SignInCount
from users.models.user import User

__all__ = ["ApiToken", "OutgoingMail", "SignInCount", "User"]
