"""The pages of the first run: each step shows its form, makes one service call, and leads to the next step."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView

from foundation.admin.once import ONCE_FIELD, Done, do_once, token_for
from foundation.admin.pages import LINE_FIELD, everything_asked, filled_lines
from foundation.admin.refusals import add_refusal
from foundation.admin.uploads import is_too_long
from foundation.errors import InvalidInput, Refusal
from foundation.services.shop import currency_is_fixed, finish_setting_up, keep_shop, skip_step
from foundation.shop import current_shop
from inventory.exchange.limits import LARGEST_FILE, MOST_LINES, as_megabytes
from inventory.exchange.table import too_large
from inventory.models import Ingredient, Location, Product, StockDocument
from project.first_run import steps
from project.first_run.code import keep_code
from project.first_run.errors import HasAccounts
from project.first_run.forms import (
    MOST_INGREDIENTS,
    AccountForm,
    FirstAccountForm,
    LocationForm,
    MenuFileForm,
    OpeningStockForm,
    PersonLines,
    ProductLines,
)
from project.first_run.menu_upload import COLUMNS, PRICE_IN_BAHT, read_menu_upload
from project.first_run.services import (
    Hired,
    create_first_admin,
    hire,
    keep_location,
    keep_menu,
    post_opening_stock,
    take_over,
)
from project.first_run.steps import Progress, Step, progress
from project.shop.form import ShopForm
from users.errors import TooManySignIns
from users.models import User
from users.request import client_address, signed_in_user

SAMPLE = Path(settings.BASE_DIR) / "demo" / "bubble_tea_menu.csv"
SKIP_FIELD = "skip"


class FirstRunPage(TemplateView):
    """A page for who may set the shop up: an admin, or with the setup code whoever comes first."""

    step: ClassVar[Step | None] = None
    title: Any = gettext_lazy("Set up your shop")

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user if isinstance(request.user, User) else None
        if user is None and (self.step is not steps.ACCOUNT or User.objects.exists()):
            if not User.objects.exists():
                return HttpResponseRedirect(steps.ACCOUNT.url)
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if user is not None and not user.has_perm("foundation.change_shop"):
            raise PermissionDenied
        if user is not None and current_shop().is_demo:
            return HttpResponseRedirect(reverse("admin:foundation_shop_settings"))
        self.user = user
        self.progress: Progress = progress(user)
        if self.step is not None and (needed := self.progress.needed_before(self.step)):
            return HttpResponseRedirect(needed.url)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **admin.site.each_context(self.request),
            "title": self.step.title if self.step else self.title,
            "step": self.step,
            "steps": list(self.progress.shown(self.step)),
            "progress": self.progress,
            "once_field": ONCE_FIELD,
            "once_token": token_for(self.request),
            **super().get_context_data(**kwargs),
        }


class Start(FirstRunPage):
    """Leads to the first step that waits for somebody."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        step = self.progress.next()
        return HttpResponseRedirect(step.url if step else reverse("first_run:done"))


class StepPage(FirstRunPage):
    """A step with a form. `act` makes the service call and says what was done."""

    step: ClassVar[Step]
    form_class: type[forms.Form]
    # Where the service's fields have other names in the form.
    refusal_fields: Mapping[str, str] = {}

    def form(self, data: Any = None, files: Any = None) -> Any:
        return self.form_class(data, files, **self.form_kwargs())

    def form_kwargs(self) -> dict[str, Any]:
        return {}

    def act(self, form: Any) -> str:
        """Calls the service with the valid form, and says what it did."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.form())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.step.is_optional and SKIP_FIELD in request.POST:
            skip_step(step=self.step.name)
            return self.go_on()
        form = self.form(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form)
        try:
            done = do_once(request, lambda: Done(self.act(form), ""), asked=self.asked())
        except Refusal as refusal:
            self.place(refusal, form)
            return self.show(form)
        messages.success(request, done.message)
        return self.go_on()

    def asked(self) -> Any:
        """What the form said, files included."""
        files: list[tuple[str, Any]] = list(self.request.FILES.items())
        digests = {name: hashlib.sha256(file.read()).hexdigest() for name, file in files}
        for _name, file in files:
            file.seek(0)
        return {**everything_asked(self.request), "files": digests}

    def place(self, refusal: Refusal, form: Any) -> None:
        add_refusal(form, refusal, names=self.refusal_fields)

    def go_on(self) -> HttpResponse:
        """To the next step in order, so that somebody who went back comes forward again."""
        place = steps.STEPS.index(self.step) + 1
        following = steps.STEPS[place].url if place < len(steps.STEPS) else reverse("first_run:done")
        return HttpResponseRedirect(following)

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, **context), status=status)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class AccountPage(StepPage):
    """The first admin's account; or, in a shop whose demo was removed, the demo's becomes somebody's own."""

    step = steps.ACCOUNT
    template_name = "first_run/account.html"

    def form(self, data: Any = None, files: Any = None) -> Any:
        return (FirstAccountForm if self.user is None else AccountForm)(data)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user is not None and not steps.is_of_the_demo(self.user):
            return self.render_to_response(self.get_context_data(account=self.user))
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user is not None and not steps.is_of_the_demo(self.user):
            # Sent twice: the account is there.
            return self.go_on()
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form)
        try:
            self.take(form.cleaned_data)
        except HasAccounts as refusal:
            messages.error(request, refusal.detail)
            return HttpResponseRedirect(reverse("first_run:start"))
        except TooManySignIns as refusal:
            self.place(refusal, form)
            answer = self.show(form, status=429)
            answer.headers["Retry-After"] = str(refusal.retry_after)
            return answer
        except Refusal as refusal:
            self.place(refusal, form)
            return self.show(form)
        return self.go_on()

    def take(self, data: dict[str, Any]) -> None:
        """Makes the account, or makes the demo's one's own; who does it is signed in with it."""
        if self.user is not None:
            update_session_auth_hash(self.request, take_over(user_id=self.user.pk, **data))
            return
        user = create_first_admin(address=client_address(self.request), now=timezone.now(), **data)
        login(self.request, user, backend="django.contrib.auth.backends.ModelBackend")
        keep_code(Path(settings.VAR_DIR) / "setup-code", is_needed=False)


class ShopPage(StepPage):
    step = steps.SHOP
    template_name = "first_run/shop.html"
    form_class = ShopForm

    def form_kwargs(self) -> dict[str, Any]:
        return {"shop": current_shop(), "currency_is_fixed": currency_is_fixed()}

    def act(self, form: ShopForm) -> str:
        return _("The shop is called %(name)s.") % {"name": keep_shop(**form.cleaned_data)}


class LocationPage(StepPage):
    step = steps.LOCATION
    template_name = "first_run/location.html"
    form_class = LocationForm

    def form_kwargs(self) -> dict[str, Any]:
        first = Location.objects.order_by("pk").first()
        if first is None:
            return {}
        return {"initial": {"name": first.name, "address": first.address, "day_starts_at": first.day_starts_at}}

    def act(self, form: LocationForm) -> str:
        return _("%(location)s is open.") % {"location": keep_location(**form.cleaned_data)}


# A body is read when its CSRF token is looked for: the page looks for it itself, after a look at the body's length.
@method_decorator(csrf_exempt, name="dispatch")
class MenuPage(StepPage):
    """The menu by file or by hand: the button that was pressed says which."""

    step = steps.MENU
    template_name = "first_run/menu.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_too_long(request, largest=LARGEST_FILE):
            messages.error(request, too_large().detail)
            return HttpResponseRedirect(self.step.url)
        answer: HttpResponseBase = csrf_protect(super().dispatch)(request, *args, **kwargs)
        return answer

    @property
    def is_by_hand(self) -> bool:
        return "by_hand" in self.request.POST

    def form(self, data: Any = None, files: Any = None) -> Any:
        return ProductLines(data, prefix="lines") if self.is_by_hand else MenuFileForm(data, files)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST, request.FILES)
        if SKIP_FIELD not in request.POST and self.is_by_hand and form.is_valid() and not filled_lines(form):
            form.non_form_errors().append(_("Write at least one product, or leave this step out."))
            return self.show(form)
        return super().post(request, *args, **kwargs)

    def act(self, form: Any) -> str:
        if self.is_by_hand:
            lines = filled_lines(form)
            menu = keep_menu(rows=[line.row(place) for place, line in enumerate(lines, start=1)])
        else:
            upload = form.cleaned_data["file"]
            menu = keep_menu(rows=read_menu_upload(file_name=upload.name, content=upload.read()))
        said = ngettext("%(count)d product is on the menu.", "%(count)d products are on the menu.", menu.total)
        sentence = said % {"count": menu.total}
        if menu.without_recipe:
            names = ", ".join(menu.without_recipe[:5]) + ("…" if len(menu.without_recipe) > 5 else "")
            more = _("Until somebody writes a recipe, selling these takes nothing from the stock: %(names)s.")
            sentence = f"{sentence} {more % {'names': names}}"
        return sentence

    def place(self, refusal: Refusal, form: Any) -> None:
        if self.is_by_hand:
            form.non_form_errors().append(refusal.detail)
        else:
            super().place(refusal, form)

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        return super().show(
            MenuFileForm() if self.is_by_hand else form,
            status,
            formset=form if self.is_by_hand else ProductLines(prefix="lines"),
            products=Product.objects.count(),
            largest=LARGEST_FILE,
            largest_mb=as_megabytes(LARGEST_FILE),
            most_lines=MOST_LINES,
            too_large=[too_large().detail],
            columns=[column for column in COLUMNS if column != PRICE_IN_BAHT],
            currency=current_shop().currency,
            **context,
        )


class StockPage(StepPage):
    step = steps.STOCK
    template_name = "first_run/stock.html"
    form_class = OpeningStockForm

    def form_kwargs(self) -> dict[str, Any]:
        return {"ingredients": list(Ingredient.objects.order_by("name")[:MOST_INGREDIENTS])}

    def act(self, form: OpeningStockForm) -> str:
        lines = form.lines()
        if not lines:
            raise InvalidInput.at("lines", _("Say how much there is of something, or leave this step out."))
        post_opening_stock(lines=lines, user_id=signed_in_user(self.request).pk)
        said = ngettext("%(count)d ingredient is in stock.", "%(count)d ingredients are in stock.", len(lines))
        return said % {"count": len(lines)}

    def place(self, refusal: Refusal, form: OpeningStockForm) -> None:
        """What is wrong with the third line stands at the third ingredient that was filled in."""
        lines = form.lines()
        names = {"quantity": "quantity", "unit_cost": "cost"}
        errors = refusal.errors if isinstance(refusal, InvalidInput) else {}
        for field, sentences in errors.items():
            found = LINE_FIELD.fullmatch(field)
            at = f"{names[found['field']]}-{lines[int(found['place'])].ingredient_id}" if found else None
            for sentence in sentences:
                form.add_error(at, sentence)
        if not errors:
            form.add_error(None, refusal.detail)

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        return super().show(form, status, is_posted=StockDocument.objects.exists(), currency=current_shop().currency)


class StaffPage(StepPage):
    """Accounts for who works here. The passwords are shown in the answer, once, and kept nowhere."""

    step = steps.STAFF
    template_name = "first_run/staff.html"

    def form(self, data: Any = None, files: Any = None) -> Any:
        return PersonLines(data, prefix="lines")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if SKIP_FIELD in request.POST:
            return super().post(request, *args, **kwargs)
        formset = self.form(request.POST)
        if not formset.is_valid():
            return self.show(formset)
        lines = filled_lines(formset)
        try:
            hired = hire(newcomers=[line.newcomer() for line in lines])
        except Refusal as refusal:
            self.place_in_lines(refusal, formset, lines)
            return self.show(formset)
        return self.show_passwords(hired)

    def place_in_lines(self, refusal: Refusal, formset: Any, lines: list[Any]) -> None:
        errors = refusal.errors if isinstance(refusal, InvalidInput) else {}
        for field, sentences in errors.items():
            found = LINE_FIELD.fullmatch(field)
            for sentence in sentences:
                if found:
                    line = lines[int(found["place"])]
                    line.add_error(found["field"] if found["field"] in line.fields else None, sentence)
                else:
                    formset.non_form_errors().append(sentence)
        if not errors:
            formset.non_form_errors().append(refusal.detail)

    def show_passwords(self, hired: list[Hired]) -> HttpResponse:
        self.template_name = "first_run/passwords.html"
        return self.render_to_response(self.get_context_data(hired=hired))

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        return super().show(None, status, formset=form, **context)


class DonePage(FirstRunPage):
    """What the shop has now, what can wait, and the way in."""

    template_name = "first_run/done.html"
    title = gettext_lazy("Ready to open")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.must_go_back() or super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if back := self.must_go_back():
            return back
        finish_setting_up(now=timezone.now())
        return HttpResponseRedirect(reverse("admin:index"))

    def must_go_back(self) -> HttpResponse | None:
        needed = self.progress.needed_before(steps.STAFF)
        return HttpResponseRedirect(needed.url) if needed else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(left=self.progress.left(), shop=current_shop(), **kwargs)


class SampleMenu(FirstRunPage):
    """The example menu, to be changed and uploaded again."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return FileResponse(SAMPLE.open("rb"), as_attachment=True, filename="menu.csv", content_type="text/csv")
