"""The buttons of a seller account: each calls one service, as the person who pressed it."""

import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from foundation.admin.days import DayInput
from foundation.admin.refusals import add_refusal
from foundation.admin.verbs import Verb, VerbForm
from marketplaces.account_tasks import hand_over_sync, hand_over_test
from marketplaces.admin.key_fields import SECRET_FIELDS, key_fields, keys_in
from marketplaces.errors import CallFailed, WrongCredentials
from marketplaces.keys import checked_credentials
from marketplaces.models import SellerAccount, SyncRun
from marketplaces.services import testing
from marketplaces.services.accounts import change_account
from marketplaces.services.credentials import store_credentials
from marketplaces.services.syncing import request_sync

CHANGE = "marketplaces.change_selleraccount"
CONNECT = "marketplaces.connect_selleraccount"
SYNC = "marketplaces.sync_selleraccount"

Mode = SellerAccount.Mode


class SinceForm(VerbForm):
    """The day from which on orders are read again, by the clocks of the account's location."""

    since = forms.DateField(
        label=_("From this day"),
        widget=DayInput(),
        help_text=_("All orders that changed from then on are read again. Nothing is doubled by it."),
    )

    def clean_since(self) -> datetime.datetime:
        day: datetime.date = self.cleaned_data["since"]
        return self.obj.location.day_bounds(day)[0]


class KeysForm(VerbForm):
    """The marketplace's keys. They are stored whole, whatever was there before."""

    secret_fields = SECRET_FIELDS

    def __init__(self, *args: Any, obj: SellerAccount, **kwargs: Any) -> None:
        super().__init__(*args, obj=obj, **kwargs)
        self.fields.update(key_fields(obj.marketplace))

    def about(self) -> str:
        return gettext("The keys that are stored now are not shown. These take their place, and are tested.")

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is said at its field, where the service says “credentials.api_key”."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                checked_credentials(self.obj.marketplace, keys_in(data))
            except WrongCredentials as refusal:
                add_refusal(self, refusal, names={f"credentials.{name}": name for name in self.fields})
        return data


def sync(request: HttpRequest, account: SellerAccount, what: SyncRun.What, since: Any = None) -> None:
    run = request_sync(
        account_id=account.pk, what=what, since=since, requested_by_id=request.user.pk, at=timezone.now()
    )
    hand_over_sync(run)


def set_mode(request: HttpRequest, account: SellerAccount, mode: SellerAccount.Mode) -> None:
    change_account(account_id=account.pk, changes={"mode": mode}, changed_by_id=request.user.pk, at=timezone.now())


def test(request: HttpRequest, account: SellerAccount, data: dict[str, Any]) -> str:
    """Says whose keys they are. Raises CallFailed with what is wrong."""
    result = testing.test_account(account_id=account.pk, tested_by_id=request.user.pk, at=timezone.now())
    if not result.ok:
        raise CallFailed(result.error)
    return gettext("%(marketplace)s takes the keys. They belong to %(seller)s.") % {
        "marketplace": account.get_marketplace_display(),
        "seller": result.account.seller_name or account.name,
    }


def replace_keys(request: HttpRequest, account: SellerAccount, data: dict[str, Any]) -> None:
    account = store_credentials(
        account_id=account.pk, credentials=keys_in(data), stored_by_id=request.user.pk, at=timezone.now()
    )
    hand_over_test(account.pk)


def has_keys(account: SellerAccount) -> bool:
    return account.credentials_changed_at is not None


def is_readable(account: SellerAccount) -> bool:
    return account.is_active and account.connection != SellerAccount.Connection.NONE


ACCOUNT_VERBS = (
    Verb(
        name="orders",
        label=_("Read orders now"),
        permission=SYNC,
        run=lambda request, account, data: sync(request, account, SyncRun.What.ORDERS),
        done=_("The orders are being read."),
        is_shown=is_readable,
        icon="sync",
        variant="primary",
    ),
    Verb(
        name="stock",
        label=_("Import stock now"),
        permission=SYNC,
        run=lambda request, account, data: sync(request, account, SyncRun.What.INVENTORY),
        done=_("The stock is being imported."),
        is_shown=is_readable,
        icon="inventory",
    ),
    Verb(
        name="resync",
        label=_("Read orders again from…"),
        permission=SYNC,
        run=lambda request, account, data: sync(request, account, SyncRun.What.ORDERS, data["since"]),
        done=_("The orders are being read again."),
        form=SinceForm,
        is_shown=is_readable,
        icon="history",
    ),
    Verb(
        name="test",
        label=_("Test the connection"),
        permission=SYNC,
        run=test,
        done=_("%(object)s is connected."),
        is_shown=has_keys,
        icon="network_check",
        is_remote=True,
    ),
    Verb(
        name="keys",
        label=_("Replace the keys"),
        permission=CONNECT,
        run=replace_keys,
        done=_("The keys of %(object)s are stored."),
        form=KeysForm,
        icon="key",
    ),
    Verb(
        name="live",
        label=_("Let it write"),
        permission=CHANGE,
        run=lambda request, account, data: set_mode(request, account, Mode.LIVE),
        done=_("%(object)s writes to the marketplace from now on."),
        warning=_(
            "From now on the marketplace is told: orders are accepted there, and the quantities of the listings are "
            "set to what the shop has. Look at the listings first: what is matched wrongly is offered wrongly."
        ),
        is_shown=lambda account: account.mode == Mode.READ_ONLY,
        icon="edit_square",
    ),
    Verb(
        name="read_only",
        label=_("Only read"),
        permission=CHANGE,
        run=lambda request, account, data: set_mode(request, account, Mode.READ_ONLY),
        done=_("Nothing is written to the marketplace for %(object)s any more."),
        warning=_("Orders are still read and taken from the stock, but the marketplace is told nothing."),
        is_shown=lambda account: account.mode == Mode.LIVE,
        icon="edit_off",
        variant="danger",
    ),
)
