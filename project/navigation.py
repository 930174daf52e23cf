"""The admin's menu and stylesheet, for django-unfold's settings.

Settings import this file: it may not import models. What needs them is named by a path and imported when a page
is shown.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# The path of a function of the request: "inventory.admin.places.shows_places".
FunctionPath = str


def stylesheet(request: HttpRequest) -> str:
    return static("samovar/admin.css")


def favicon(request: HttpRequest) -> str:
    return static("samovar/favicon.svg")


def shop_name(request: HttpRequest) -> str:
    from foundation.shop import current_shop  # noqa: PLC0415

    return current_shop().name


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the menu, for those who hold `permission` ("app.codename").

    `icon` is a name of Google's Material Symbols. `is_shown` may hide the line (a transfer, while there is one
    location); `badge` gives a number to show beside it, or 0.
    """

    title: str | Promise
    icon: str
    url_name: str
    permission: str
    is_shown: FunctionPath = ""
    badge: FunctionPath = ""
    # Names of other addresses below which this line is marked.
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A group of lines under a heading; without lines for somebody it is not shown to them."""

    title: str | Promise
    items: tuple[Item, ...]


SECTIONS = (
    Section(
        _("Sales"),
        (
            Item(_("Home"), "home", "index", "orders.view_order"),
            Item(_("Counter"), "touch_app", "shop:counter", "orders.view_order"),
            Item(_("New order"), "add_shopping_cart", "orders_order_add", "orders.add_order"),
            Item(_("Orders"), "receipt", "orders_order_changelist", "orders.view_order"),
            Item(_("Customers"), "group", "orders_customer_changelist", "orders.view_customer"),
            Item(_("Messages to customers"), "sms", "orders_customermessage_changelist", "orders.view_customermessage"),
            Item(_("Batches"), "checklist", "orders_batchrun_changelist", "orders.view_batchrun"),
            Item(_("Imported sales"), "upload_file", "orders_salesimport_changelist", "orders.view_salesimport"),
        ),
    ),
    Section(
        _("Money"),
        (
            Item(_("Shifts"), "point_of_sale", "orders_shift_changelist", "orders.view_shift"),
            Item(_("Payments"), "payments", "orders_payment_changelist", "orders.view_payment"),
            Item(_("Refunds"), "undo", "orders_refund_changelist", "orders.view_refund"),
            Item(
                _("Daily reports"), "calendar_today", "monitoring_dailyreport_changelist", "monitoring.view_dailyreport"
            ),
        ),
    ),
    Section(
        _("Menu"),
        (
            Item(_("Products"), "local_cafe", "inventory_product_changelist", "inventory.view_product"),
            Item(_("Categories"), "shelves", "inventory_category_changelist", "inventory.change_category"),
            Item(
                _("Option groups"),
                "tune",
                "inventory_optiongroup_changelist",
                "inventory.change_optiongroup",
                also=("inventory_option_changelist",),
            ),
            Item(_("Promotions"), "sell", "orders_promotion_changelist", "orders.view_promotion"),
            Item(_("Promo codes"), "confirmation_number", "orders_promocode_changelist", "orders.view_promocode"),
            Item(
                _("Loyalty programme"),
                "loyalty",
                "orders_loyaltyprogram_changelist",
                "orders.change_loyaltyprogram",
                also=("orders_loyaltytier_changelist",),
            ),
        ),
    ),
    # What is done every day, the most frequent first; what is looked up now and then stands under the records.
    Section(
        _("Stock"),
        (
            Item(
                pgettext_lazy("how much is there", "Stock"),
                "inventory_2",
                "inventory_stocklevel_changelist",
                "inventory.view_stocklevel",
            ),
            Item(
                _("Low stock"),
                "production_quantity_limits",
                "inventory_stocklevel_low",
                "inventory.view_stocklevel",
                badge="inventory.admin.places.low_stock_number",
            ),
            Item(
                _("Expiring"),
                "event_busy",
                "inventory_stocklot_expiring",
                "inventory.view_stocklot",
                badge="inventory.admin.lot_shown.expired_number",
                also=("inventory_stocklot_changelist",),
            ),
            Item(_("Receive"), "move_to_inbox", "inventory_stocklevel_receive", "inventory.receive_stock"),
            Item(_("Prepare"), "skillet", "inventory_preparation_prepare", "inventory.add_preparation"),
            Item(_("Write off"), "delete_sweep", "inventory_stocklevel_write_off", "inventory.write_off_stock"),
            Item(_("Counts"), "fact_check", "inventory_stockcount_changelist", "inventory.view_stockcount"),
            Item(
                _("Transfer"),
                "local_shipping",
                "inventory_stocklevel_transfer",
                "inventory.transfer_stock",
                is_shown="inventory.admin.places.shows_places",
            ),
            Item(_("Ingredients"), "grain", "inventory_ingredient_changelist", "inventory.view_ingredient"),
            Item(_("Preparations"), "blender", "inventory_preparation_changelist", "inventory.view_preparation"),
        ),
    ),
    Section(
        _("Purchasing"),
        (
            Item(
                _("Purchase orders"),
                "shopping_cart",
                "inventory_purchaseorder_changelist",
                "inventory.view_purchaseorder",
                also=("inventory_purchaseorder_new",),
            ),
            Item(
                _("What to order"),
                "draft_orders",
                "inventory_purchaseorder_suggestions",
                "inventory.add_purchaseorder",
            ),
            Item(_("Suppliers"), "storefront", "inventory_supplier_changelist", "inventory.view_supplier"),
        ),
    ),
    Section(
        _("Stock records"),
        (
            Item(_("Ledger"), "receipt_long", "inventory_stockmovement_changelist", "inventory.view_stockmovement"),
            Item(_("Documents"), "description", "inventory_stockdocument_changelist", "inventory.view_stockdocument"),
            Item(_("Write-offs"), "bar_chart", "inventory_stockdocument_write_offs", "inventory.view_stockdocument"),
            Item(
                _("Valuation"),
                "savings",
                "inventory_stocklevel_valuation",
                "inventory.change_stocklevel",
                also=("inventory_stocklevel_use",),
            ),
            Item(
                _("Preparation recipes"),
                "menu_book",
                "inventory_preparationrecipe_changelist",
                "inventory.change_preparationrecipe",
            ),
            Item(_("Shelves"), "kitchen", "inventory_shelf_changelist", "inventory.change_shelf"),
        ),
    ),
    Section(
        _("Marketplaces"),
        (
            Item(
                _("Seller accounts"),
                "storefront",
                "marketplaces_selleraccount_changelist",
                "marketplaces.view_selleraccount",
            ),
            Item(
                _("Marketplace orders"),
                "local_mall",
                "marketplaces_marketplaceorder_changelist",
                "marketplaces.view_marketplaceorder",
            ),
            Item(
                _("Stock operations"),
                "conveyor_belt",
                "marketplaces_stockoperation_changelist",
                "marketplaces.view_stockoperation",
            ),
            Item(
                _("Listings"),
                "sell",
                "marketplaces_listing_changelist",
                "marketplaces.view_listing",
                also=("marketplaces_listing_quantities",),
            ),
            Item(
                _("Unmatched SKUs"),
                "join_inner",
                "marketplaces_listing_unmatched",
                "marketplaces.add_listing",
            ),
            Item(
                _("Marketplace stock"),
                "warehouse",
                "marketplaces_marketplacestock_changelist",
                "marketplaces.view_marketplacestock",
            ),
            Item(_("Sync runs"), "sync", "marketplaces_syncrun_changelist", "marketplaces.view_syncrun"),
            Item(
                _("Marketplace monitor"),
                "monitor_heart",
                "marketplaces_selleraccount_monitor",
                "marketplaces.view_selleraccount",
            ),
        ),
    ),
    Section(
        _("People"),
        (
            Item(_("Employees"), "badge", "orders_employee_changelist", "orders.view_employee"),
            Item(_("Positions"), "work", "orders_position_changelist", "orders.change_position"),
            Item(_("Sales by employee"), "leaderboard", "orders_employee_sales", "orders.view_employee_sales"),
            Item(
                _("Payroll"),
                "payments",
                "orders_payroll_changelist",
                "orders.view_payroll",
                also=("orders_payroll_new",),
            ),
            Item(_("Accounts"), "manage_accounts", "users_user_changelist", "users.view_user"),
        ),
    ),
    Section(
        _("Backups"),
        (
            Item(
                _("Backups"),
                "backup",
                "backups_backup_changelist",
                "backups.view_backup",
                also=("backups_backup_new",),
            ),
            Item(
                _("Restores"),
                "history",
                "backups_restorerun_changelist",
                "backups.view_restorerun",
                also=("backups_restorerun_recover",),
            ),
            Item(
                _("WAL"),
                "database",
                "backups_walcheck_changelist",
                "backups.view_walcheck",
                also=("backups_walcheck_new",),
            ),
            Item(
                _("Cluster"),
                "hub",
                "backups_clusterevent_changelist",
                "backups.view_clusterevent",
                is_shown="backups.cluster_selectors.has_cluster",
                also=("backups_clusterevent_switch_over",),
            ),
        ),
    ),
    Section(
        _("Watching"),
        (
            Item(_("Alerts"), "notifications", "monitoring_alert_changelist", "monitoring.view_alert"),
            Item(_("Messages"), "outgoing_mail", "monitoring_delivery_changelist", "monitoring.view_delivery"),
            Item(_("Alert rules"), "rule", "monitoring_alertrule_changelist", "monitoring.view_alertrule"),
            Item(
                _("Channels"),
                "campaign",
                "monitoring_channel_changelist",
                "monitoring.view_channel",
                also=("monitoring_channel_new", "monitoring_channel_telegram"),
            ),
            Item(_("Health"), "vital_signs", "monitoring_alert_health", "monitoring.view_health"),
            Item(_("Database"), "storage", "monitoring_alert_database", "monitoring.view_database"),
            Item(_("Logs"), "article", "monitoring_alert_logs", "monitoring.view_logs"),
        ),
    ),
    Section(
        _("Settings"),
        (
            Item(
                _("Shop"),
                "settings",
                "foundation_shop_settings",
                "foundation.change_shop",
                also=("foundation_shop_remove_demo",),
            ),
            Item(_("Locations"), "storefront", "inventory_location_changelist", "inventory.change_location"),
            Item(_("API tokens"), "key", "users_apitoken_changelist", "users.view_apitoken"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu for this person, with the line of the page that is shown marked."""
    sections = [(section.title, list(items_for(request, section))) for section in SECTIONS]
    lines = [line for _title, items in sections for line in items]
    # Of two lines that cover the page, the closer one is marked: "Receive" and not "Stock".
    home = reverse("admin:index")
    places = (place for line in lines for place in line["covers"])
    here = max((place for place in places if covers(place, request, home=home)), key=len, default="")
    for line in lines:
        line["active"] = here in line["covers"]
    return [
        {"title": title, "separator": False, "collapsible": False, "items": items} for title, items in sections if items
    ]


def items_for(request: HttpRequest, section: Section) -> Iterator[dict[str, Any]]:
    """The lines of the section that this person sees."""
    for item in section.items:
        if not request.user.has_perm(item.permission):
            continue
        if item.is_shown and not call(item.is_shown, request):
            continue
        places = [address_of(name) for name in (item.url_name, *item.also)]
        line: dict[str, Any] = {"title": item.title, "icon": item.icon, "link": places[0], "covers": places}
        # The theme asks for these at every line; what is not there takes Django longer to find than the line itself.
        line |= {"badge": None, "link_callback": None}
        number = call(item.badge, request) if item.badge else 0
        if number:
            line["badge"] = number
        yield line


def address_of(url_name: str) -> str:
    """The address of a page of the admin, or of another part of the shop if the name says which ("shop:counter")."""
    return reverse(url_name if ":" in url_name else f"admin:{url_name}")


def covers(place: str, request: HttpRequest, *, home: str) -> bool:
    """Whether the page lies below the address; below the home page lies everything, which says nothing."""
    return request.path == place or (place != home and request.path.startswith(place))


def call(function_path: FunctionPath, request: HttpRequest) -> Any:
    function: Callable[[HttpRequest], Any] = import_string(function_path)
    return function(request)


SIDEBAR: dict[str, Any] = {
    "show_search": True,
    "command_search": False,
    "show_all_applications": False,
    "navigation": "project.navigation.navigation",
}
