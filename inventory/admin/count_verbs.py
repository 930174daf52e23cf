"""What is done with a stock count by a button: finish, give back, count again, post, cancel."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from foundation.admin.verbs import Verb, VerbForm
from inventory.count_selectors import POST_PERMISSION
from inventory.errors import listed
from inventory.models import StockCount
from inventory.services.counts import cancel_count, post_count, reopen_count, submit_count

CHANGE = "inventory.change_stockcount"
Status = StockCount.Status


class FinishForm(VerbForm):
    """Whether to leave out what nobody counted; `missing` are the ingredients whose names the page showed."""

    leave_out = forms.BooleanField(label="", required=False)
    missing = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        empty = dict(
            self.obj.lines.filter(counted_quantity=None)
            .order_by("position", "id")
            .values_list("ingredient_id", "ingredient__name")
        )
        if empty:
            self.fields["leave_out"].label = gettext("Leave out what is not counted: %(names)s") % {
                "names": listed(list(empty.values()))
            }
            self.fields["missing"].initial = ",".join(map(str, empty))
        elif not self.is_bound:
            self.fields.clear()

    def about(self) -> str:
        lines = list(self.obj.lines.values_list("counted_quantity", flat=True))
        if None in lines:
            return ""
        return gettext("Everything is counted: %(number)d of %(number)d.") % {"number": len(lines)}

    def left_out(self) -> list[int]:
        """The ingredients that somebody saw named and wants to leave out."""
        data = self.cleaned_data
        return [int(pk) for pk in data.get("missing", "").split(",") if pk.isdigit()] if data.get("leave_out") else []

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["ids"] = self.left_out()
        return self.cleaned_data


class RecountForm(VerbForm):
    """Which lines."""

    ingredients = forms.TypedMultipleChoiceField(label=_("Ingredients"), coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["ingredients"]
        field.choices = list(self.obj.lines.values_list("ingredient_id", "ingredient__name"))


def recount(request: HttpRequest, count: StockCount, data: dict[str, Any]) -> str:
    reopen_count(count_id=count.pk, ingredient_ids=data["ingredients"])
    return gettext("To be counted again. The count is open for it.")


FINISH = Verb(
    name="submit",
    label=_("Finish counting"),
    permission=CHANGE,
    run=lambda request, count, data: submit_count(count_id=count.pk, leave_out=data.get("ids", ())),
    done=_("Counted: %(object)s. Now somebody reviews it."),
    form=FinishForm,
    is_shown=lambda count: count.status == Status.COUNTING,
    variant="primary",
    icon="done_all",
)
COUNT_VERBS = (
    FINISH,
    Verb(
        name="post",
        label=_("Post the differences"),
        permission=POST_PERMISSION,
        run=lambda request, count, data: post_count(count_id=count.pk, posted_by_id=request.user.pk),
        done=_("Posted: %(object)s."),
        warning=_("The differences go to the ledger, and the stock is what was counted. This can't be taken back."),
        is_shown=lambda count: count.status == Status.REVIEW,
        variant="primary",
        icon="task_alt",
    ),
    Verb(
        name="reopen",
        label=_("Count on"),
        permission=CHANGE,
        run=lambda request, count, data: reopen_count(count_id=count.pk),
        done=_("Open for counting again: %(object)s."),
        is_shown=lambda count: count.status == Status.REVIEW,
        icon="undo",
    ),
    Verb(
        name="cancel",
        label=_("Cancel the count"),
        permission=CHANGE,
        run=lambda request, count, data: cancel_count(count_id=count.pk),
        done=_("Cancelled: %(object)s."),
        warning=_("What was counted is thrown away; the stock stays what it is."),
        is_shown=lambda count: count.status in StockCount.OPEN,
        variant="danger",
        icon="cancel",
    ),
)
# Stands beside each line and not among the buttons above.
RECOUNT = Verb(
    name="recount",
    label=_("Count again"),
    permission=CHANGE,
    run=recount,
    done="",
    form=RecountForm,
    is_shown=lambda count: False,
    icon="replay",
)
