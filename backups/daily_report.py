"""What backups tell in the daily report: how old the newest is, up to when the shop can be recovered, and what is
wrong."""

import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backups.engine.repository import Repository
from backups.moments import said
from backups.selectors import overview
from backups.services.alarms import EVENT, trouble_sentence, troubles
from monitoring.report.registry import Asked, Figure, Figures, ReportSection, Row, Shown, register_section


def register() -> None:
    """Called once, when the apps are ready."""
    register_section(
        ReportSection(
            name="backups",
            title=gettext_lazy("Backups"),
            order=80,
            build=build,
            show=show,
            brief=brief,
            permission="backups.view_backup",
            page="admin:backups_backup_changelist",
            events=(EVENT,),
        )
    )


def build(asked: Asked) -> Figures:
    """What the folder of backups says now. Reads files, and asks no database. Raises BackupFailed."""
    found = overview()
    ends = [span.ends_at for span in found.spans]
    return {
        "newest": moment(found.newest_at),
        "proved": moment(found.newest_proved_at),
        "recoverable": moment(max(ends, default=None)),
        "unreadable": found.trouble,
        "troubles": []
        if found.trouble
        else [{"kind": one.kind, **one.details} for one in troubles(Repository.of_the_shop(), now=asked.at)],
    }


def moment(at: datetime.datetime | None) -> str | None:
    return at.isoformat() if at else None


def shown_moment(text: str | None) -> str:
    return said(datetime.datetime.fromisoformat(text)) if text else _("never")


def show(figures: Figures) -> Shown:
    rows = [Row(sentence, is_bad=True) for sentence in sentences(figures)]
    if figures["newest"] is None:
        return Shown(rows=rows, sentence=_("There is no backup yet."))
    shown = [Figure(_("Newest backup"), shown_moment(figures["newest"]))]
    if figures["recoverable"]:
        shown.append(Figure(_("Recoverable up to"), shown_moment(figures["recoverable"])))
    return Shown(figures=[*shown, Figure(_("Last proved"), shown_moment(figures["proved"]))], rows=rows)


def brief(figures: Figures) -> list[str]:
    found = sentences(figures)
    if found:
        more = len(found) - 1
        return [_("Backups: %(what)s") % {"what": f"{found[0]} (+{more})" if more else found[0]}]
    if figures["newest"] is None:
        return [_("Backups: there is none yet.")]
    return [_("Backups: fine, the newest of %(at)s") % {"at": shown_moment(figures["newest"])}]


def sentences(figures: Figures) -> list[str]:
    """All that is wrong, in words."""
    return [
        *([figures["unreadable"]] if figures["unreadable"] else []),
        *(trouble_sentence(one) for one in figures["troubles"]),
    ]
