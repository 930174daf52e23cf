"""Deleting in the admin what something else still needs: a sentence that says so, instead of an error page."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import models
from django.db.models import Model, ProtectedError, QuerySet, RestrictedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from foundation.counting import count_up_to_limit


class ExplainsDeleting(ModelAdmin):
    """For a ModelAdmin whose objects others point to.

    Django would collect every row that stands in the way, which for a ledger is all of it; here they are counted.
    """

    # What to do instead, as a sentence; may be empty.
    instead_of_deleting: str | Promise = ""

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_delete_permission(request, obj):
            return super().delete_view(request, object_id, extra_context)
        itself = self.model._base_manager.filter(pk=obj.pk)
        sentence = self.why_not_delete(itself)
        if not sentence:
            try:
                return super().delete_view(request, object_id, extra_context)
            except (ProtectedError, RestrictedError):
                # Somebody began to use it while it was being deleted.
                sentence = self.why_not_delete(itself)
        self.message_user(request, sentence, messages.ERROR)
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
        )

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if request.POST.get("action") == "delete_selected" and self.has_delete_permission(request):
            chosen = queryset
            if request.POST.get("select_across") != "1":
                chosen = queryset.filter(pk__in=request.POST.getlist("_selected_action"))
            sentence = self.why_not_delete(chosen)
            if sentence:
                self.message_user(request, sentence, messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    def why_not_delete(self, chosen: QuerySet[Any]) -> str:
        """What stands in the way of deleting these, as a sentence; empty if nothing does."""
        in_the_way = [
            _("%(count)s %(name)s")
            % {"count": count, "name": model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural}
            for model, count in uses(chosen)
        ]
        if not in_the_way:
            return ""
        names = get_text_list([str(one) for one in chosen[:4]], _("and"))
        sentence = _("“%(names)s” can't be deleted: in use by %(list)s.") % {
            "names": names,
            "list": get_text_list(in_the_way, _("and")),
        }
        return f"{sentence} {self.instead_of_deleting}".strip()


def uses(chosen: QuerySet[Any]) -> Iterator[tuple[type[Model], int]]:
    """What keeps these rows from being deleted, and how much of it: (model, number), up to 10,000 and more.

    Follows what would be deleted with them, as Django does.
    """
    chosen = chosen.order_by()
    for relation in chosen.model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel) or not relation.related_model:
            continue
        users: Any = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": chosen.values("pk")})
        if relation.on_delete in (models.PROTECT, models.RESTRICT):
            count = count_up_to_limit(users)
            if count:
                yield relation.related_model, count
        elif relation.on_delete is models.CASCADE and relation.related_model is not chosen.model:
            yield from uses(users)
