"""The list of people, their accounts and passwords."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import localize
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.refusals import RefusalsInForms
from foundation.admin.verbs import Verb, VerbButtons
from foundation.errors import Refusal
from users import selectors
from users.choices import Role
from users.forms import AccountForm, NewAccountForm, OthersPasswordForm
from users.models import User
from users.pages.site import site_of
from users.request import signed_in_user
from users.services import accounts, password_reset, second_factor
from users.tasks import hand_over_mails


class RoleFilter(DropdownFilter):
    """People of one role."""

    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return Role.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups__name=self.value()) if self.value() in Role.values else queryset


class ActiveFilter(DropdownFilter):
    """Accounts that can sign in, or that can't."""

    title = _("active")
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Active")), ("no", pgettext_lazy("accounts", "Switched off"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_active=self.value() == "yes") if self.value() in ("yes", "no") else queryset


def send_link(request: HttpRequest, user: User, data: dict[str, Any]) -> None:
    password_reset.send_password_link(user_id=user.pk, site=site_of(request))
    hand_over_mails()


def switch_codes_off(request: HttpRequest, user: User, data: dict[str, Any]) -> None:
    second_factor.turn_off(user_id=user.pk)
    hand_over_mails()


VERBS = [
    Verb(
        name="send-link",
        label=_("Send a password link"),
        permission="users.change_user",
        run=send_link,
        done=_("A link for choosing a password is on its way to %(object)s."),
        is_shown=lambda user: user.is_active,
        icon="mail",
    ),
    Verb(
        name="codes-off",
        label=_("Switch the codes off"),
        permission="users.change_user",
        run=switch_codes_off,
        done=_("The password alone opens the account of %(object)s now."),
        is_shown=selectors.has_second_factor,
        warning=_("For somebody who has lost the phone. Make sure that it is really they who ask."),
        icon="phonelink_erase",
    ),
]


@admin.register(User)
class UserAdmin(VerbButtons, RefusalsInForms, ShopModelAdmin):
    """Accounts are made, changed and switched off here by those with the users' permissions; never deleted."""

    form = AccountForm
    add_form = NewAccountForm
    fieldsets = (
        (None, {"fields": ("email", "name", "role", "language", "is_active")}),
        (_("Sign-in"), {"fields": ("is_confirmed", "has_codes", "last_sign_in", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "role", "language", "password1", "password2")}),)
    readonly_fields = ("is_confirmed", "has_codes", "last_sign_in", "created_at")
    refusal_fields = {"password": "password1"}

    list_display = ("shown_name", "email", "role_badge", "active", "is_confirmed", "has_codes", "last_sign_in")
    list_display_links = ("shown_name", "email")
    list_filter = (RoleFilter, ActiveFilter)
    search_fields = ("email", "name")
    search_help_text = _("Name or e-mail")
    ordering = ("email",)
    list_per_page = 50
    actions = ("deactivate", "reactivate")
    actions_detail = ("password_page",)
    warn_unsaved_form = True
    verbs = VERBS

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups").annotate(**selectors.SIGN_IN_FACTS)

    @display(description=pgettext_lazy("of a person", "name"), ordering="name")
    def shown_name(self, user: User) -> str:
        return user.name or "—"

    @display(
        description=_("role"),
        label={Role.ADMIN: "danger", Role.MANAGER: "warning", Role.BARISTA: "info", Role.CUSTOMER: "success"},
    )
    def role_badge(self, user: User) -> tuple[str, str] | str:
        return (user.role, user.role_label) if user.role else gettext("no role")

    @display(description=_("active"), boolean=True, ordering="is_active")
    def active(self, user: User) -> bool:
        return user.is_active

    @display(description=_("confirmed"), boolean=True)
    def is_confirmed(self, user: User) -> bool:
        return bool(user.is_confirmed)  # type: ignore[attr-defined]

    @display(description=_("sign-in codes"))
    def has_codes(self, user: User) -> str:
        # Nobody has to have them: no red cross.
        return gettext("on") if user.has_codes else "—"  # type: ignore[attr-defined]

    @display(description=_("last sign-in"), ordering="last_login")
    def last_sign_in(self, user: User) -> str | None:
        # As the list would write it; on the account's page nobody else does.
        return localize(localtime(user.last_login)) if user.last_login else None

    @admin.action(description=_("Switch off"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Calls the service for all that are ticked: all or none."""
        try:
            users = accounts.deactivate_users(user_ids=list(queryset.values_list("pk", flat=True)))
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return
        sentence = ngettext(
            "%(count)d account is switched off.", "%(count)d accounts are switched off.", len(users)
        ) % {"count": len(users)}
        self._note(request, users, gettext("Switched off."), sentence)

    @admin.action(description=_("Switch on again"), permissions=["change"])
    def reactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Calls the service for all that are ticked: all or none."""
        users = accounts.reactivate_users(user_ids=list(queryset.values_list("pk", flat=True)))
        sentence = ngettext("%(count)d account is active.", "%(count)d accounts are active.", len(users)) % {
            "count": len(users)
        }
        self._note(request, users, gettext("Switched on."), sentence)

    def _note(self, request: HttpRequest, users: list[User], change: str, sentence: str) -> None:
        LogEntry.objects.log_actions(signed_in_user(request).pk, users, CHANGE, change_message=change)
        self.message_user(request, sentence, messages.SUCCESS)

    # --- one account ----------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> type[ModelForm]:
        return super().get_form(request, obj, **{"form": self.form if obj else self.add_form, **kwargs})

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        # Somebody who may only look sees the role, which is a field of the form and not of the table.
        return self.readonly_fields if self.has_change_permission(request, obj) else (*self.readonly_fields, "role")

    @method_decorator(sensitive_post_parameters())
    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().add_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Calls one service, and gives the page what that has written."""
        data = form.cleaned_data
        account = {name: data[name] for name in ("email", "name", "role", "language")}
        if change:
            accounts.update_user(user_id=obj.pk, is_active=data["is_active"], **account)
        elif data["password1"]:
            obj.pk = accounts.create_user(password=data["password1"], **account).pk
        else:
            obj.pk = password_reset.invite(site=site_of(request), **account).pk
            self.message_user(request, gettext("An invitation is on its way to %(email)s.") % {"email": obj.email})
        hand_over_mails()

    # --- passwords ------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.password_view)
        return [path("<path:object_id>/password/", page, name="users_user_password"), *super().get_urls()]

    @action(description=_("Set a password"), icon="key", url_path="set-password", permissions=["change"])
    def password_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:users_user_password", args=[object_id]))

    @method_decorator(sensitive_post_parameters())
    def password_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page on which an admin sets somebody's password."""
        user = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user is None:
            raise Http404
        form = OthersPasswordForm(user, request.POST if request.method == "POST" else None)
        if form.is_valid():
            changed = accounts.set_password(user_id=user.pk, password=form.cleaned_data["password1"])
            hand_over_mails()
            self.log_change(request, changed, gettext("Password set."))
            if changed == request.user:
                update_session_auth_hash(request, changed)
            sentence = gettext("%(user)s has a new password; old sessions and API tokens have ended.")
            self.message_user(request, sentence % {"user": changed}, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:users_user_change", args=[user.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Set a password: %(user)s") % {"user": user},
            "form": form,
            "opts": self.opts,
            "original": user,
        }
        return TemplateResponse(request, "admin/auth/user/change_password.html", context)
