"""Questions about seller accounts: whose data a caller may see."""

from uuid import UUID

from django.db.models import QuerySet

from marketplaces.errors import UnknownAccount
from marketplaces.models import SellerAccount


def visible_accounts(*, bound_to: str = "", external_user_id: str = "") -> QuerySet[SellerAccount]:
    """The seller accounts that a caller sees: with a token that is bound to a seller only theirs, else all of them;
    narrowed to `external_user_id` if the caller asks for it."""
    accounts = SellerAccount.objects.all()
    if bound_to:
        accounts = accounts.filter(external_user_id=bound_to)
    if external_user_id:
        accounts = accounts.filter(external_user_id=external_user_id)
    return accounts


def visible_account(account_id: UUID, *, bound_to: str = "") -> SellerAccount:
    """This account. Raises UnknownAccount if there is none, or none for a token that is bound to this seller."""
    account = visible_accounts(bound_to=bound_to).select_related("location").filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    return account
