"""Everybody's own API tokens: make one, see when they expire, revoke."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.refusals import RefusalsInForms
from foundation.errors import Refusal
from users import selectors
from users.forms import NewTokenForm
from users.models import ApiToken
from users.request import signed_in_user
from users.services import tokens


@admin.register(ApiToken)
class ApiTokenAdmin(RefusalsInForms, ShopModelAdmin):
    """A person sees only their own tokens, and the token itself only once, on the page that makes it."""

    form = NewTokenForm
    fields = ("name", "days", "external_user_id")
    list_display = ("name", "begins_with", "created_at", "expires_at", "valid", "bound_to")
    list_display_links = None
    actions = ("revoke",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return selectors.api_tokens_of(signed_in_user(request))

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Django's way of deleting is closed: tokens are revoked by the action below."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("users.delete_apitoken")

    @display(description=_("begins with"))
    def begins_with(self, token: ApiToken) -> str:
        return f"{token.beginning[:8]}…"

    @display(description=_("valid"), boolean=True)
    def valid(self, token: ApiToken) -> bool:
        return token.expires_at > timezone.now()

    @display(description=_("bound to"))
    def bound_to(self, token: ApiToken) -> str | None:
        return token.external_user_id or None

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Calls the service for all that are ticked: all or none."""
        token_ids = list(queryset.values_list("pk", flat=True))
        try:
            tokens.revoke_tokens(user=signed_in_user(request), token_ids=token_ids)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return
        sentence = ngettext("%(count)d token is revoked.", "%(count)d tokens are revoked.", len(token_ids))
        self.message_user(request, sentence % {"count": len(token_ids)}, messages.SUCCESS)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the one button that makes sense: after saving, the token is shown."""
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**one_button, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ModelForm, change: bool) -> None:
        """Issues the token; its secret goes to the answer of this request and nowhere else."""
        data = form.cleaned_data
        issued = tokens.issue_token(
            user=signed_in_user(request),
            name=data["name"],
            days=data["days"],
            external_user_id=data["external_user_id"],
        )
        obj.pk = issued.record.pk
        request.issued_token = issued  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the token in the answer itself: a message would leave it in a cookie or in the session."""
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Copy the token now"),
            "issued": request.issued_token,  # type: ignore[attr-defined]
            "opts": self.opts,
        }
        response = TemplateResponse(request, "users/api_token_issued.html", context)
        add_never_cache_headers(response)
        return response
