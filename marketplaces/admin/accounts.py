"""Seller accounts in the admin: the list, the settings of one, and what is done about it."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.pages import OwnPages
from foundation.admin.refusals import RefusalsInForms
from foundation.admin.verbs import VerbButtons
from foundation.errors import Refusal
from inventory.admin.places import places, shows_places
from inventory.models import Location
from marketplaces.admin.account_verbs import ACCOUNT_VERBS
from marketplaces.admin.connect_page import ConnectPage, ConnectStatusPage
from marketplaces.admin.key_fields import SECRET_FIELDS
from marketplaces.admin.monitor_page import MonitorPage
from marketplaces.admin.new_account import ChooseMarketplacePage, NewAccountPage
from marketplaces.admin.shown import ago, connection_badge, key_age_badge, mode_badge
from marketplaces.choices import Marketplace
from marketplaces.models import SellerAccount, SyncRun, SyncState
from marketplaces.services.accounts import change_account, delete_account
from users.models import User

SHOWN_EVENTS = 20
KEYS = ("credentials", "tokens")


def last_success(what: SyncRun.What) -> Subquery:
    states = SyncState.objects.filter(account=OuterRef("pk"), what=what)
    return Subquery(states.values("last_success_at")[:1])


@admin.register(SellerAccount)
class SellerAccountAdmin(RefusalsInForms, VerbButtons, OwnPages, ShopModelAdmin):
    """Accounts are added on a page of their own, which knows what each marketplace asks for. Their keys are stored,
    replaced, and never shown."""

    pages = (MonitorPage, ChooseMarketplacePage, NewAccountPage, ConnectPage, ConnectStatusPage)
    verbs = ACCOUNT_VERBS
    list_display_links = ("label",)
    list_filter = (("marketplace", ChoicesDropdownFilter), ("connection", ChoicesDropdownFilter))
    search_fields = ("name", "external_user_id", "seller_name")
    ordering = ("marketplace", "name", "id")
    sortable_by = ()
    list_per_page = 50
    actions = None
    warn_unsaved_form = True
    list_before_template = "marketplaces/account_list.html"
    change_form_outer_before_template = "marketplaces/account.html"
    fieldsets = (
        (None, {"fields": ("name", "location", "push_warehouse_id", "is_active")}),
        (_("How often and how much"), {"fields": ("orders_every", "stock_every", "max_changes_per_run")}),
    )

    class Media:
        css: ClassVar = {"all": ["samovar/marketplaces.css"]}

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[SellerAccount]:
        accounts = super().get_queryset(request).select_related("location").defer(*KEYS)
        return accounts.annotate(
            orders_read_at=last_success(SyncRun.What.ORDERS), stock_read_at=last_success(SyncRun.What.INVENTORY)
        )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = ["label", "seller", "connected", "writes", "orders_read", "stock_read", "key_age"]
        if shows_places(request):
            columns.insert(2, "location")
        return columns

    @display(description=_("account"))
    def label(self, account: SellerAccount) -> str:
        return str(account)

    @display(description=_("seller"))
    def seller(self, account: SellerAccount) -> str:
        return account.external_user_id

    @display(description=_("connection"))
    def connected(self, account: SellerAccount) -> SafeString:
        return connection_badge(account)

    @display(description=_("mode"))
    def writes(self, account: SellerAccount) -> SafeString:
        return mode_badge(account)

    @display(description=_("orders read"))
    def orders_read(self, account: Any) -> str:
        return ago(account.orders_read_at)

    @display(description=_("stock read"))
    def stock_read(self, account: Any) -> str:
        return ago(account.stock_read_at)

    @display(description=_("key age"))
    def key_age(self, account: SellerAccount) -> SafeString | str:
        return key_age_badge(account)

    # --- one account ----------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """First the marketplace is chosen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:marketplaces_selleraccount_new"))

    @method_decorator(sensitive_post_parameters(*(f"keys-{name}" for name in sorted(SECRET_FIELDS))))
    def verb_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        return super().verb_view(request, object_id, verb)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "location":
            # A closed one only where the account has it already, which the service knows.
            kwargs["queryset"] = Location.objects.filter(pk__in=[place.pk for place in places(request)])
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "location" and field is not None:
            # Locations have pages of their own.
            for power in ("add", "change", "view", "delete"):
                setattr(field.widget, f"can_{power}_related", False)
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = set()
        if not shows_places(request):
            hidden.add("location")
        if obj is not None and obj.marketplace == Marketplace.ALLEGRO:
            hidden.add("push_warehouse_id")
        return tuple(
            (title, {**options, "fields": tuple(name for name in options["fields"] if name not in hidden)})
            for title, options in self.fieldsets
        )

    def save_model(self, request: HttpRequest, obj: SellerAccount, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        change_account(account_id=obj.pk, changes=changes, changed_by_id=request.user.pk, at=timezone.now())

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        account: SellerAccount | None = kwargs.get("obj")
        if account is not None:
            context |= self.written_out(request, account) | {"show_save_and_add_another": False}
        return super().render_change_form(request, context, **kwargs)

    def written_out(self, request: HttpRequest, account: Any) -> dict[str, Any]:
        """What the page says beside the settings."""
        events = list(account.credential_events.order_by("-id")[:SHOWN_EVENTS])
        people = User.objects.in_bulk({event.created_by_id for event in events if event.created_by_id})
        return {
            "account": account,
            "connection": connection_badge(account),
            "mode": mode_badge(account),
            "key_age": key_age_badge(account),
            "zone": account.location.time_zone,
            "events": [{"event": event, "by": people.get(event.created_by_id or 0)} for event in events],
            "connect_variant": "default" if account.connection == SellerAccount.Connection.CONNECTED else "primary",
            "is_allegro": account.marketplace == Marketplace.ALLEGRO,
        }

    # --- deleting -------------------------------------------------------------------------------------

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The service says whether it may go; Django would first collect everything that was ever read of it."""
        account = self.get_object(request, object_id)
        if account is None or request.method != "POST" or not self.has_delete_permission(request, account):
            return super().delete_view(request, object_id, extra_context)
        try:
            delete_account(account_id=account.pk)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:marketplaces_selleraccount_change", args=[account.pk]))
        self.log_deletions(request, [account])
        self.message_user(request, _("%(account)s is deleted.") % {"account": account}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:marketplaces_selleraccount_changelist"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only the account: what goes with it is not listed, and what stands in its way the service names."""
        return [str(one) for one in objs], {}, set(), []
