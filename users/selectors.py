"""Questions about accounts, roles and tokens."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, OuterRef, QuerySet

from users.choices import Role
from users.errors import UserMissing
from users.models import ApiToken, User

# For lists of accounts: what `email_is_confirmed` and `has_second_factor` say of one.
SIGN_IN_FACTS = {
    "is_confirmed": ~Exists(EmailAddress.objects.filter(user=OuterRef("pk"), email=OuterRef("email"), verified=False)),
    "has_codes": Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)),
}


def user_by_email(email: str) -> User:
    """Returns the account that signs in with this e-mail, in any case; raises UserMissing."""
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        raise UserMissing(email) from None


def active_admins() -> QuerySet[User]:
    """The admins who can sign in."""
    return User.objects.filter(is_active=True, groups__name=Role.ADMIN)


def permissions_of(user: User) -> list[str]:
    """What the user may do, as sorted "app.codename"; nothing for somebody deactivated."""
    return sorted(user.get_all_permissions())


def api_tokens_of(user: User) -> QuerySet[ApiToken]:
    """The user's own API tokens, the newest first."""
    return ApiToken.objects.filter(user=user)


def email_is_confirmed(user: User) -> bool:
    """Whether the account's e-mail is its owner's. One that was made by hand, without a row for it, is believed."""
    return not EmailAddress.objects.filter(user=user, email=user.email, verified=False).exists()


def has_second_factor(user: User) -> bool:
    """Whether the account asks for a code when it is signed in to."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def active_users_by_role() -> dict[str, int]:
    """How many active accounts each role has, 0 included."""
    counts = dict(
        User.objects.filter(is_active=True, groups__name__in=Role.values)
        .values_list("groups__name")
        .annotate(Count("pk"))
        .order_by()
    )
    return {role.value: counts.get(role.value, 0) for role in Role}
