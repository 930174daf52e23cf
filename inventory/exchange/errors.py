"""What the import of a spreadsheet refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import Conflict, InvalidInput

FAULTS_SAID = 20


class WrongFile(InvalidInput):
    """The file can't be read at all: its kind, its size, its header."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, errors={"file": [sentence]})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a line of the file, as the spreadsheet counts its rows; `column` is empty for the whole line."""

    line: int
    column: str
    sentence: str

    def __str__(self) -> str:
        where = _("Line %(line)d, %(column)s") if self.column else _("Line %(line)d")
        return f"{where % {'line': self.line, 'column': self.column}}: {self.sentence}"


class WrongLines(InvalidInput):
    """The file can be read, but not everything in it can be taken. Nothing of it has been."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        errors: dict[str, list[str]] = {}
        for fault in faults:
            place = f"line {fault.line}" + (f".{fault.column}" if fault.column else "")
            errors.setdefault(place, []).append(fault.sentence)
        said = [str(fault) for fault in faults[:FAULTS_SAID]]
        rest = len(faults) - len(said)
        if rest:
            said.append(ngettext("And %(number)d more.", "And %(number)d more.", rest) % {"number": rest})
        super().__init__("\n".join(said), errors=errors)


class ChangedSincePreview(Conflict):
    """The import would no longer do what its preview showed."""

    code = "changed_since_preview"

    def __init__(self) -> None:
        super().__init__(
            _("The catalogue has changed since this preview. Nothing has been imported: look again, then confirm.")
        )


def by_column(errors: Mapping[str, Sequence[str]], columns: Sequence[str]) -> dict[str, list[str]]:
    """A service's errors at the columns of a line: "recipe[2].quantity" at quantity, others at the line ("")."""
    found: dict[str, list[str]] = {}
    for field, sentences in errors.items():
        name = field.rpartition(".")[2].partition("[")[0]
        found.setdefault(name if name in columns else "", []).extend(sentences)
    return found
