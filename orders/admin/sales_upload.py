"""The page where a file of sales is handed in. What it holds is shown next; nothing is imported yet."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from foundation.admin.forms import ThemedForm
from foundation.admin.pages import AdminPage
from foundation.admin.refusals import add_refusal
from foundation.errors import InvalidInput
from inventory.admin.places import places, usual_place
from inventory.models import Location
from orders.admin.verbs import actor_of
from orders.models import SalesImport
from orders.sales_dates import DateFormat
from orders.sales_file import read_sales
from orders.sales_survey import survey_sales
from orders.services.sales_import import keep_survey

LARGEST_UPLOAD_MB = 10
LARGEST_UPLOAD = LARGEST_UPLOAD_MB * 1024 * 1024
# What a browser sends around the file: its name, the other fields.
AROUND_THE_FILE = 64 * 1024


class UploadForm(ThemedForm):
    """Which file, and what it does not say itself. While the shop has a single location, the form does not ask."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=255,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={"empty": gettext_lazy("The file is empty. Its first line must be: Date,Time,Transaction,Item")},
    )
    location = forms.TypedChoiceField(
        label=gettext_lazy("Location"),
        coerce=int,
        choices=(),
        help_text=gettext_lazy("Where it was sold. The times of the file are those of its clocks."),
    )
    till = forms.CharField(
        label=gettext_lazy("Till"),
        required=False,
        max_length=SalesImport._meta.get_field("till").max_length,
        help_text=gettext_lazy("Only if several tills of the location count their transactions from 1."),
    )
    date_format = forms.ChoiceField(
        label=gettext_lazy("Dates are written"),
        required=False,
        choices=[("", gettext_lazy("as the file shows")), *DateFormat.choices],
    )

    def __init__(self, *args: Any, places: list[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.pk: place for place in places}
        location: Any = self.fields["location"]
        location.choices = [("", _("Choose a location")), *((place.pk, place.name) for place in places)]
        if len(places) == 1:
            del self.fields["location"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError(too_large())
        return file

    def place(self) -> Location:
        """The location that a valid form means."""
        if "location" in self.fields:
            return self.places[self.cleaned_data["location"]]
        return next(iter(self.places.values()))

    def date_written(self) -> DateFormat | None:
        written = self.cleaned_data["date_format"]
        return DateFormat(written) if written else None


# Looking for a CSRF token reads the body, so the page does that itself, after a look at how long the body is.
@method_decorator(csrf_exempt, name="dispatch")
class UploadPage(AdminPage):
    path, name = "upload/", "upload"
    title = gettext_lazy("Import sales")
    permission = "orders.import_sales"
    template_name = "orders_admin/sales_upload.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        if length_of_body(request) > LARGEST_UPLOAD + AROUND_THE_FILE:
            return self.show(self.form(), refusals=[too_large()], status=413)
        answer: HttpResponseBase = csrf_protect(super().dispatch)(request, *args, **kwargs)
        return answer

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.form())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form)
        upload = form.cleaned_data["file"]
        try:
            file = read_sales(upload.file, date_format=form.date_written())
            survey = survey_sales(file=file, location=form.place(), till=form.cleaned_data["till"])
            sales_import = keep_survey(survey=survey, file_name=upload.name, actor=actor_of(request))
        except InvalidInput as refusal:
            add_refusal(form, refusal)
            return self.show(form)
        return HttpResponseRedirect(reverse("admin:orders_salesimport_change", args=[sales_import.pk]))

    def form(self, *data: Any) -> UploadForm:
        place = usual_place(self.request)
        initial = {"location": place.pk if place else None}
        return UploadForm(*data, places=places(self.request), initial=initial)

    def show(self, form: UploadForm, *, refusals: Sequence[str] = (), status: int = 200) -> HttpResponse:
        context = self.get_context_data(
            form=form,
            refusals=refusals,
            has_place=bool(places(self.request)),
            largest=LARGEST_UPLOAD,
            largest_mb=LARGEST_UPLOAD_MB,
            too_large=[too_large()],
        )
        return self.render_to_response(context, status=status)


def length_of_body(request: HttpRequest) -> int:
    """How long the body is that has not been read yet, as the client says; a server reads no further than that."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isascii() and length.isdigit() else 0


def too_large() -> str:
    return _(
        "The file is larger than %(most)d MB. Split it, or have it imported on the server: manage.py import_sales."
    ) % {"most": LARGEST_UPLOAD_MB}
