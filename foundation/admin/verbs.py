"""Buttons on an object's page that call a service: prepare, cancel, take off the menu.

    class OrderAdmin(VerbButtons, ShopModelAdmin):
        verbs = [
            Verb(
                name="cancel",
                label=_("Cancel the order"),
                permission="orders.cancel_order",
                run=lambda request, order, data: cancel_order(order_id=order.pk, actor=actor(request), **data),
                done=_("%(object)s is cancelled."),
                form=CancelForm,
                is_shown=lambda order: order.status in Order.ACTIVE,
                variant="danger",
            ),
        ]

A verb acts on POST only, checks its permission on the server whether or not its button was shown, writes the
object's history, and turns a refusal into a message. A form that is sent twice acts once, but for a verb `is_remote`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from foundation.admin.forms import ThemedForm
from foundation.admin.once import ONCE_FIELD, Done, asked_by, do_once, new_token, token_for
from foundation.admin.refusals import add_refusal
from foundation.errors import InvalidInput, Refusal

Text = str | Promise
NEXT_FIELD = "next"


class VerbForm(ThemedForm):
    """What a verb asks for before it acts; `obj` is the object that it is about.

    What stands in `secret_fields` leaves no trace, not even in what a second sending is known by.
    """

    secret_fields: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *args: Any, obj: Any, **kwargs: Any) -> None:
        self.obj = obj
        super().__init__(*args, **kwargs)

    def traced_fields(self) -> list[str]:
        """The names, in the request, of the fields that are no secret."""
        return [self.add_prefix(name) for name in self.fields if name not in self.secret_fields]

    def about(self) -> str:
        """What somebody has to know of the object before they do it; shown above the fields."""
        return ""


class ReasonForm(VerbForm):
    """Why somebody does it; required."""

    reason = forms.CharField(label="", max_length=300)


@dataclass(frozen=True, kw_only=True)
class Verb:
    """A button that calls one service.

    `run(request, obj, data)` makes that call; `data` is the form's cleaned data, {} without a form. It may return
    a sentence to be said instead of `done`, in which %(object)s stands for the object. `is_shown` only hides the
    button: whether the verb may act is for the permission ("app.codename") and the service to say.
    """

    name: str
    label: Text
    permission: str
    run: Callable[[HttpRequest, Any, dict[str, Any]], Any]
    done: Text
    form: type[VerbForm] | None = None
    is_shown: Callable[[Any], bool] = field(default=lambda obj: True)
    # What to think of before pressing; shown above the verb's form, or as a question before a verb without one.
    warning: Text = ""
    variant: str = "default"  # "primary", "default" or "danger"
    icon: str = ""
    # Its service asks somebody over the network, so that no transaction may be open: it acts each time it is sent.
    is_remote: bool = False

    @property
    def asks_first(self) -> bool:
        """Whether the button opens a dialog instead of acting at once."""
        return self.form is not None or bool(self.warning)


@dataclass(frozen=True)
class VerbButton:
    """A verb as the page shows it."""

    verb: Verb
    url: str
    token: str
    form: VerbForm | None

    @property
    def confirming_variant(self) -> str:
        """The look of the button inside the dialog: there it is the main one."""
        return "primary" if self.verb.variant == "default" else self.verb.variant


class VerbButtons(ModelAdmin):
    """For a ModelAdmin whose objects have verbs. The buttons stand above the form of the object's page."""

    verbs: ClassVar[Sequence[Verb]] = ()
    change_form_outer_before_template = "foundation/verb_buttons.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.verb_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_verb"
        return [path("<path:object_id>/verb/<slug:verb>/", page, name=name), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None and not context.get("is_popup"):
            context["verb_buttons"] = self.verb_buttons(request, obj)
        return super().render_change_form(request, context, **kwargs)

    def verb_buttons(self, request: HttpRequest, obj: Any) -> list[VerbButton]:
        """The buttons that this person sees for the object now."""
        return [
            VerbButton(
                verb=verb,
                url=self.verb_url(obj, verb.name),
                token=new_token(),
                form=verb.form(obj=obj, prefix=verb.name) if verb.form else None,
            )
            for verb in self.verbs
            if request.user.has_perm(verb.permission) and verb.is_shown(obj)
        ]

    def verb_url(self, obj: Model, name: str) -> str:
        """The address of the verb `name` on the object; POST acts, GET shows the verb's form."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_verb", args=[obj.pk, name])

    def verb_in_list(self, obj: Model, name: str, *, label: Text, css_class: str, title: Text = "") -> SafeString:
        """A button for a column of the list that does the verb and comes back to the list.

        It stands in the list's own form and uses its CSRF token. Only for verbs that ask nothing; show the column
        only to those with the permission (`get_list_display`).
        """
        return format_html(
            '<button type="submit" class="{}" title="{}" formaction="{}?{}=list" formmethod="post"'
            ' name="{}" value="{}">{}</button>',
            css_class,
            title,
            self.verb_url(obj, name),
            NEXT_FIELD,
            ONCE_FIELD,
            new_token(),
            label,
        )

    def verb_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        """Does a verb; shows its form instead if it needs one and what came is not right."""
        asked = next((one for one in self.verbs if one.name == verb), None)
        if asked is None:
            raise Http404
        if not request.user.has_perm(asked.permission):
            raise PermissionDenied
        obj: Any = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        if request.method != "POST":
            if not asked.asks_first:
                return HttpResponseRedirect(self.address_after_verb(request, obj))
            return self.verb_page(request, obj, asked, asked.form(obj=obj, prefix=verb) if asked.form else None)
        form = asked.form(request.POST, obj=obj, prefix=verb) if asked.form else None
        if form is not None and not form.is_valid():
            return self.verb_page(request, obj, asked, form)
        try:
            done = (
                self.do_verb(request, obj, asked, form)
                if asked.is_remote
                else self.do_verb_once(request, obj, asked, form)
            )
        except Refusal as refusal:
            if form is not None and isinstance(refusal, InvalidInput):
                add_refusal(form, refusal)
                return self.verb_page(request, obj, asked, form)
            self.message_user(request, refusal.detail, messages.ERROR)
            return HttpResponseRedirect(self.address_after_verb(request, obj))
        self.message_user(request, done.message, messages.SUCCESS)
        return HttpResponseRedirect(done.url)

    def do_verb_once(self, request: HttpRequest, obj: Any, verb: Verb, form: VerbForm | None) -> Done:
        """Does the verb inside one transaction, and once for the token that came with its form."""
        return do_once(
            request,
            lambda: self.do_verb(request, obj, verb, form),
            asked=asked_by(request, form.traced_fields()) if form else {},
        )

    def do_verb(self, request: HttpRequest, obj: Any, verb: Verb, form: VerbForm | None) -> Done:
        """Calls the service and writes the object's history."""
        said = verb.run(request, obj, form.cleaned_data if form else {})
        self.log_change(request, obj, str(verb.label))
        message = str(said) if isinstance(said, Text) else str(verb.done) % {"object": obj}
        return Done(message=message, url=self.address_after_verb(request, obj))

    def address_after_verb(self, request: HttpRequest, obj: Model) -> str:
        """The page that the button was pressed on: the list, or the object."""
        names = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if request.GET.get(NEXT_FIELD) == "list":
            came_from = request.headers.get("Referer", "")
            own = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
            return came_from if own else reverse(f"{names}_changelist")
        return reverse(f"{names}_change", args=[obj.pk])

    def verb_page(self, request: HttpRequest, obj: Any, verb: Verb, form: VerbForm | None) -> HttpResponse:
        """The page of a verb's form: where it goes without scripts, and when something in it is wrong."""
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": _("%(verb)s: %(object)s") % {"verb": verb.label, "object": obj},
            # The theme makes the path above the page of these.
            "opts": self.opts,
            "original": obj,
            "button": VerbButton(verb=verb, url=self.verb_url(obj, verb.name), token=token_for(request), form=form),
            "back_url": self.address_after_verb(request, obj),
        }
        return TemplateResponse(request, "foundation/verb_page.html", context)
