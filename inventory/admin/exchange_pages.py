"""The pages of a list that import its records from a spreadsheet and export them into one."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.forms import ThemedForm
from foundation.admin.once import ONCE_FIELD, Done, do_once, new_token
from foundation.admin.pages import AdminPage, everything_asked
from foundation.admin.refusals import add_refusal
from foundation.admin.uploads import UploadPage
from foundation.errors import Refusal
from inventory.exchange.errors import ChangedSincePreview, Fault, WrongLines
from inventory.exchange.limits import LARGEST_FILE, MOST_LINES, as_megabytes
from inventory.exchange.report import Outcome, Report
from inventory.exchange.subjects import SUBJECTS, Subject
from inventory.exchange.table import too_large
from inventory.services.exchange import FORMATS, Preview, export_file, hand_in, import_kept, look_again

SHOWN_FAULTS = 100
SHOWN_LINES = 300
SUBJECT_FIELD, FILE_FIELD = "subject", "kept"
BADGES = {Outcome.NEW: "good", Outcome.CHANGED: "info", Outcome.UNCHANGED: "off", Outcome.REMOVED: "bad"}


class SubjectPage(AdminPage):
    """A page about the kinds of files that belong to a list."""

    subjects: ClassVar[Sequence[str]]

    def permissions_for(self, subject: Subject) -> list[str]:
        raise NotImplementedError

    def open_subjects(self, request: HttpRequest) -> list[Subject]:
        """The kinds of files that this person may use here."""
        mine = (SUBJECTS[name] for name in self.subjects)
        return [one for one in mine if request.user.has_perms(self.permissions_for(one))]

    def may_open(self, request: HttpRequest) -> bool:
        return bool(self.open_subjects(request))

    def asked_subject(self, name: str) -> Subject | None:
        return next((one for one in self.open_subjects(self.request) if one.name == name), None)


class ImportForm(ThemedForm):
    """The file, and what is in it: where a list has only one kind, the form does not ask."""

    subject = forms.ChoiceField(label=gettext_lazy("What it holds"), choices=())
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=255,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty. Its first line names the columns."),
        },
    )

    def __init__(self, *args: Any, subjects: Sequence[Subject], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["subject"]
        field.choices = [(one.name, one.label) for one in subjects]
        field.initial = subjects[0].name
        if len(subjects) == 1:
            field.required = False
            field.widget = forms.HiddenInput()

    def chosen(self) -> str:
        """The kind of file that a valid form means."""
        name: str = self.cleaned_data["subject"] or self.fields["subject"].initial
        return name

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError(too_large().detail)
        return upload


class ImportPage(SubjectPage, UploadPage):
    """Choose a file, look at what it would do, confirm. What is wrong stands there line by line."""

    path, name = "import/", "import"
    title = gettext_lazy("Import")
    template_name = "inventory/import.html"
    largest_upload = LARGEST_FILE

    @property
    def user_id(self) -> Any:
        return self.request.user.pk

    def permissions_for(self, subject: Subject) -> list[str]:
        return subject.import_permissions

    def refuse_length(self, request: HttpRequest) -> HttpResponse:
        return self.show(self.empty_form(), refusals=[too_large().detail], status=413)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.empty_form())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.confirm() if FILE_FIELD in request.POST else self.look()

    def look(self) -> HttpResponse:
        """Shows what the file would do."""
        form = ImportForm(self.request.POST, self.request.FILES, subjects=self.open_subjects(self.request))
        if not form.is_valid():
            return self.show(form)
        upload = form.cleaned_data["file"]
        try:
            preview = hand_in(subject=form.chosen(), file_name=upload.name, content=upload.read(), user_id=self.user_id)
        except WrongLines as refusal:
            return self.show(form, faults=refusal.faults)
        except Refusal as refusal:
            add_refusal(form, refusal)
            return self.show(form)
        return self.show(form, preview=preview, file_name=upload.name)

    def confirm(self) -> HttpResponse:
        """Imports the file that was looked at: as it was shown, and once however often the button is pressed."""
        subject = self.asked_subject(self.request.POST.get(SUBJECT_FIELD, ""))
        if subject is None:
            return self.show(self.empty_form(), refusals=[_("Choose what the file holds.")])
        try:
            done = do_once(self.request, lambda: self.import_it(subject), asked=everything_asked(self.request))
        except ChangedSincePreview as refusal:
            return self.show_anew(subject, refusal)
        except WrongLines as refusal:
            return self.show(self.empty_form(subject), faults=refusal.faults)
        except Refusal as refusal:
            return self.show(self.empty_form(subject), refusals=[refusal.detail])
        self.model_admin.message_user(self.request, done.message, messages.SUCCESS)
        return HttpResponseRedirect(done.url)

    def import_it(self, subject: Subject) -> Done:
        report = import_kept(subject=subject.name, file_id=self.request.POST[FILE_FIELD], user_id=self.user_id)
        self.write_history(subject, report)
        opts = self.model_admin.opts
        return Done(
            message=_("Imported: %(outcome)s.") % {"outcome": in_words(report)},
            url=reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
        )

    def write_history(self, subject: Subject, report: Report) -> None:
        """Writes to the history of each record that it came from a file, in two statements for all of them."""
        records = {one.pk: one for one in subject.records._default_manager.filter(pk__in=dict(report.touched))}
        for flag, is_new, sentence in (
            (ADDITION, True, _("Imported from a file.")),
            (CHANGE, False, _("Changed by the import of a file (%(subject)s).") % {"subject": subject.label}),
        ):
            touched = [records[pk] for pk, was_new in report.touched if was_new is is_new and pk in records]
            LogEntry.objects.log_actions(self.user_id, touched, flag, sentence)

    def show_anew(self, subject: Subject, refusal: Refusal) -> HttpResponse:
        """The preview again, as it is now, with what happened above it."""
        try:
            preview = look_again(subject=subject.name, file_id=self.request.POST[FILE_FIELD], user_id=self.user_id)
        except WrongLines as wrong:
            return self.show(self.empty_form(subject), faults=wrong.faults)
        except Refusal as gone:
            return self.show(self.empty_form(subject), refusals=[gone.detail])
        return self.show(self.empty_form(subject), preview=preview, refusals=[refusal.detail])

    def empty_form(self, subject: Subject | None = None) -> ImportForm:
        subjects = self.open_subjects(self.request)
        return ImportForm(subjects=subjects, initial={"subject": (subject or subjects[0]).name})

    def show(
        self,
        form: ImportForm,
        *,
        preview: Preview | None = None,
        file_name: str = "",
        faults: Sequence[Fault] = (),
        refusals: Sequence[str] = (),
        status: int = 200,
    ) -> HttpResponse:
        context = self.get_context_data(
            form=form,
            refusals=[*refusals, *form.non_field_errors()] if form.is_bound else list(refusals),
            subjects=self.open_subjects(self.request),
            largest=LARGEST_FILE,
            largest_mb=as_megabytes(LARGEST_FILE),
            most_lines=MOST_LINES,
            too_large=[too_large().detail],
            faults=faults[:SHOWN_FAULTS],
            more_faults=max(len(faults) - SHOWN_FAULTS, 0),
            faults_number=len(faults),
        )
        if preview is not None:
            context |= preview_context(preview, file_name)
            context |= {
                "subject_field": SUBJECT_FIELD,
                "chosen_subject": form.chosen() if form.is_bound else form.initial["subject"],
                "file_field": FILE_FIELD,
                "once_field": ONCE_FIELD,
                "once_token": new_token(),
            }
        return self.render_to_response(context, status=status)


class ExportPage(SubjectPage):
    """All records of the list, and what belongs to them, as files."""

    path, name = "export/", "export"
    title = gettext_lazy("Export")
    template_name = "inventory/export.html"

    def permissions_for(self, subject: Subject) -> list[str]:
        return subject.export_permissions

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        subject = self.asked_subject(request.GET.get("subject", ""))
        kind = request.GET.get("format", "")
        if subject is None or kind not in FORMATS:
            return super().get(request, *args, **kwargs)
        file = export_file(subject=subject.name, kind=kind)
        return HttpResponse(
            file.content,
            headers={
                "Content-Type": file.content_type,
                "Content-Disposition": f'attachment; filename="{file.name}"',
                # It is of this moment, and of nobody without the permission.
                "Cache-Control": "no-store",
            },
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(subjects=self.open_subjects(self.request), **kwargs)


def preview_context(preview: Preview, file_name: str) -> dict[str, Any]:
    """What the page shows of a preview: the lines that change something first."""
    report = preview.report
    lines = sorted(report.lines, key=lambda line: line.outcome == Outcome.UNCHANGED)
    return {
        "preview": preview,
        "report": report,
        "file_name": file_name,
        "counts": [
            {"label": outcome.label, "badge": BADGES[outcome], "number": number}
            for outcome in Outcome
            if (number := report.number(outcome))
        ],
        "lines": [{"line": line, "badge": BADGES[line.outcome]} for line in lines[:SHOWN_LINES]],
        "more_lines": max(len(lines) - SHOWN_LINES, 0),
    }


def in_words(report: Report) -> str:
    """3 new, 2 changed, 10 unchanged."""
    numbers = ((outcome, report.number(outcome)) for outcome in Outcome)
    return ", ".join(f"{number} {outcome.label}" for outcome, number in numbers if number)
