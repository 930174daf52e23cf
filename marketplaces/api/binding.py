"""Whose data a REST call of marketplaces sees: a token may be bound to one seller, by `external_user_id`."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from drf_spectacular.utils import OpenApiParameter

from foundation.api.pagination import KeysetPagination
from foundation.api.permissions import binding_of
from foundation.errors import InvalidInput
from marketplaces import selectors
from marketplaces.errors import UnknownAccount
from marketplaces.models import SellerAccount

# For a list's schema, where its filter set does not name it.
EXTERNAL_USER_ID = OpenApiParameter(
    "external_user_id", str, description="Only the data of this seller. A bound token sees no other anyway."
)


class OfVisibleAccounts:
    """Mixed into each view of marketplaces, before DRF's own classes: serves tokens that are bound to a seller too, and
    knows which accounts the caller sees. All rows that the view looks for belong to one of them:

        def get_queryset(self):
            return self.of_visible_accounts(Listing.objects.select_related("product"))

    A list may be narrowed by `?external_user_id=`.
    """

    serves_bound_tokens = True
    query_parameters: Sequence[str] = ("external_user_id",)
    # The view's own.
    request: Any

    @property
    def bound_to(self) -> str:
        """The seller that the caller's token is bound to; empty for a session and for an unbound token."""
        return binding_of(self.request)

    def visible_accounts(self) -> QuerySet[SellerAccount]:
        """The accounts that the caller sees and asks for."""
        asked = self.request.query_params.get("external_user_id", "")
        return selectors.visible_accounts(bound_to=self.bound_to, external_user_id=asked)

    def of_visible_accounts(self, rows: QuerySet[Any], *, account: str = "account") -> QuerySet[Any]:
        """Those of `rows` whose `account` (the name of the field) the caller sees and asks for."""
        ids = self.visible_account_ids
        return rows if ids is None else rows.filter(**{f"{account}__in": ids})

    @cached_property
    def visible_account_ids(self) -> list[UUID] | None:
        """The ids of the accounts that the caller sees and asks for; None for all of them. Read first: they are few,
        and then an index that begins with the account can be used."""
        if not (self.bound_to or self.request.query_params.get("external_user_id")):
            return None
        return list(self.visible_accounts().values_list("pk", flat=True))

    def visible_account(self, account_id: UUID) -> SellerAccount:
        """The account that the address names. Raises UnknownAccount (404), also for one of another seller."""
        return selectors.visible_account(account_id, bound_to=self.bound_to)

    def account_of_body(self, account_id: UUID, *, field: str = "account") -> SellerAccount:
        """The account that a body names. Raises InvalidInput at `field`, also for one of another seller."""
        try:
            return self.visible_account(account_id)
        except UnknownAccount as error:
            raise InvalidInput.at(field, error.detail) from error


class PagesOfAccounts(KeysetPagination):
    """For a long list of rows with an `account`, by an index that begins with it.

    Such an index has each account's rows in order, but not those of several accounts: the database would then read all
    of them, or walk through everybody else's. So the first rows of each account are found, and the first ones of these.
    """

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.account_ids: list[UUID] | None = getattr(view, "visible_account_ids", None)
        return super().paginate_queryset(queryset, request, view)

    def first_rows(self, rows: QuerySet[Any], ordering: Sequence[str], number: int) -> list[Any]:
        if self.account_ids is None or len(self.account_ids) < 2:
            return super().first_rows(rows, ordering, number)
        of_one = rows.filter(account=OuterRef("pk")).values("pk")[:number]
        found = SellerAccount.objects.filter(pk__in=self.account_ids).annotate(found=ArraySubquery(of_one))
        keys = [key for keys in found.values_list("found", flat=True) for key in keys]
        return list(rows.filter(pk__in=keys)[:number]) if keys else []
