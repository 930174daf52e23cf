"""The page of the shop's own settings."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.once import Done
from foundation.admin.pages import FormPage
from foundation.services.shop import currency_is_fixed, keep_shop
from foundation.shop import current_shop
from project.shop.form import ShopForm


class SettingsPage(FormPage):
    """Name, currency, time zone and phone numbers of the shop."""

    path, name = "settings/", "settings"
    title = gettext_lazy("Shop")
    permission = "foundation.change_shop"
    template_name = "shop_settings/settings.html"
    form_class = ShopForm

    def form_kwargs(self) -> dict[str, Any]:
        return {"shop": current_shop(), "currency_is_fixed": currency_is_fixed()}

    def act(self, form: ShopForm, lines: list[Any]) -> Done:
        shop = keep_shop(**form.cleaned_data)
        self.model_admin.log_change(self.request, shop, _("Settings changed."))
        sentence = _("The settings of “%(name)s” are saved.") % {"name": shop}
        return Done(sentence, reverse("admin:foundation_shop_settings"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(is_demo=current_shop().is_demo, **kwargs)
