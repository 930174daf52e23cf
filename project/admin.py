"""The lists and pages of the admin that belong to no app below: the shop's own settings."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.pages import OwnPages
from foundation.models import Shop
from project.demo.removal_page import RemovalPage
from project.shop.settings_page import SettingsPage


@admin.register(Shop)
class ShopAdmin(OwnPages, ShopModelAdmin):
    """There is one shop: instead of a list there are its pages."""

    actions = None
    pages = (SettingsPage, RemovalPage)

    def get_urls(self) -> list[URLPattern]:
        names = {f"foundation_shop_{page.name}" for page in self.pages}
        to_settings = path("", self.admin_site.admin_view(self.changelist_view), name="foundation_shop_changelist")
        return [*(one for one in super().get_urls() if one.name in names), to_settings]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:foundation_shop_settings"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return False
