"""The importing and exporting of one kind of records, as a django-import-export resource.

The library walks through the lines, tells new from changed from unchanged, and takes everything back after a
preview or a fault. What is written, the shop's services write, with their locks and their rules.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import tablib
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _
from import_export.resources import ModelResource
from import_export.results import Result, RowResult

from foundation.errors import InvalidInput, Refusal
from inventory.exchange.columns import Column
from inventory.exchange.errors import Fault, WrongLines, by_column
from inventory.exchange.raw import tidied
from inventory.exchange.report import Difference, Differences, Outcome, Report, ReportLine
from inventory.exchange.table import NO_TABLE, Table, shorten
from inventory.locks import lock_menu

OUTCOMES = {
    RowResult.IMPORT_TYPE_NEW: Outcome.NEW,
    RowResult.IMPORT_TYPE_UPDATE: Outcome.CHANGED,
    RowResult.IMPORT_TYPE_SKIP: Outcome.UNCHANGED,
}


class ExchangeMeta:
    """What all resources have in common; each one's Meta derives from it."""

    use_transactions = True
    clean_model_instances = True
    skip_unchanged = True
    report_skipped = True
    store_instance = True
    # With prefetched rows the library asks page by page.
    chunk_size = 100_000


class ExchangeResource(ModelResource):
    """One kind of records. A record is known by the columns in `key`: names, never ids.

    What the file does not name stays. A column that the file leaves out stays as it is; a new record gets the
    model's default.
    """

    key: ClassVar[tuple[str, ...]] = ("name",)
    # False where several records may have the same key, in an order of their own.
    has_unique_key: ClassVar[bool] = True
    # Whether the service that writes a record runs the model's own checks.
    service_checks_records: ClassVar[bool] = True

    def __init__(self, table: Table = NO_TABLE) -> None:
        super().__init__()
        self.table = table
        self.present: dict[Hashable, Any] = {}
        self.folded: dict[Hashable, Hashable] = {}
        self.lines_of_keys: dict[Hashable, int] = {}
        self.is_new = False
        self.before: dict[str, Any] = {}
        self.touched: dict[int, bool] = {}
        for field in self.fields.values():
            field.widget.has_decimal_comma = table.has_decimal_comma

    # --- what a kind of records says of itself ------------------------------------------------------------

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """The columns by name, in their order."""
        fields: dict[str, Column] = cls.fields
        return {name: fields[name] for name in cls._meta.fields}

    def lock(self) -> None:
        """Takes the locks of an import, before anything is read."""
        lock_menu()

    def write(self, instance: Any, changes: Mapping[str, Any]) -> Model:
        """Calls the service that makes a new record (`self.is_new`) or changes these columns of one."""
        raise NotImplementedError

    # --- the import ---------------------------------------------------------------------------------------

    def run(self, *, dry_run: bool) -> Report:
        """Imports the table, whole or not at all; a dry run takes it back. Raises WrongLines."""
        rows = [[line.cells[column] for column in self.table.columns] for line in self.table.lines]
        dataset = tablib.Dataset(*rows, headers=self.table.columns)
        result = self.import_data(dataset, dry_run=dry_run, rollback_on_validation_errors=True)
        self.raise_errors(result)
        return Report(
            lines=(*self.report_lines(result), *self.removed()),
            notes=self.table.notes,
            touched=tuple(self.touched.items()),
        )

    def raise_errors(self, result: Result) -> None:
        """Raises WrongLines for what is wrong in the file; whatever else went wrong goes through as it is."""
        for error in (*result.base_errors, *(error for row in result.rows for error in row.errors)):
            raise error.error
        faults = [
            Fault(self.table.lines[row.number - 1].number, column if column in self.fields else "", sentence)
            for row in result.invalid_rows
            for column, sentences in row.error_dict.items()
            for sentence in sentences
        ]
        if faults:
            raise WrongLines(faults)

    def report_lines(self, result: Result) -> Iterable[ReportLine]:
        for line, row in zip(self.table.lines, result.rows, strict=True):
            yield ReportLine(
                line=line.number,
                outcome=OUTCOMES[row.import_type],
                name=self.name_of(row.instance),
                differences=tuple(row.diff) if row.import_type != RowResult.IMPORT_TYPE_SKIP else (),
            )

    def removed(self) -> Iterable[ReportLine]:
        """What is removed because the file does not have it."""
        return ()

    # --- the library's hooks, in the order in which it calls them -----------------------------------------

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self.lock()
        self.present = {self.key_of(record): record for record in self.get_queryset()}
        self.folded = {folded(key): key for key in self.present} if self.has_unique_key else {}

    def before_import_row(self, row: Mapping[str, str], *, row_number: int, **kwargs: Any) -> None:
        line = self.table.lines[row_number - 1]
        faults: dict[str, list[str]] = {}
        for column, sentence in line.faults:
            faults.setdefault(column, []).append(sentence)
        key = self.key_in(row)
        first = self.lines_of_keys.setdefault(key, line.number)
        if first != line.number and all(row[column] for column in self.key):
            faults.setdefault(self.key[-1], []).append(
                _("“%(name)s” stands in line %(first)d already. Keep one of them.")
                % {"name": shorten(row[self.key[-1]]), "first": first}
            )
        if faults:
            raise validation_error(faults)

    def get_instance(self, instance_loader: Any, row: Mapping[str, str]) -> Any:
        return self.present.get(self.key_in(row))

    def after_init_instance(self, instance: Any, new: bool, row: Mapping[str, str], **kwargs: Any) -> None:
        self.is_new = new
        self.before = {} if new else self.exported(instance)

    def import_instance(self, instance: Any, row: Mapping[str, str], **kwargs: Any) -> None:
        faults: dict[str, list[str]] = {}
        try:
            super().import_instance(instance, row, **kwargs)
        except ValidationError as error:
            faults = error.message_dict
        if self.is_new:
            for name, column in self.columns().items():
                if column.is_needed and name not in row:
                    faults[name] = [_("This is new and needs a value. Add the column to the file.")]
            known = self.folded.get(folded(self.key_in(row))) if self.has_unique_key else None
            if known is not None and not faults:
                faults[self.key[-1]] = [
                    _("“%(name)s” is there already, written like this. Write it alike, or give this another name.")
                    % {"name": shown(known)}
                ]
        if not faults:
            faults = self.faults_of(instance, row)
        if faults:
            raise validation_error(faults)

    def faults_of(self, instance: Any, row: Mapping[str, str]) -> dict[str, list[str]]:
        """What is wrong with a line whose cells are right each for itself."""
        return {}

    def skip_row(
        self, instance: Any, original: Any, row: Mapping[str, str], import_validation_errors: Any = None
    ) -> bool:
        return not self.is_new and not import_validation_errors and self.exported(instance) == self.before

    def validate_instance(
        self, instance: Any, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        """Says what else is wrong with a line. Where nothing is wrong yet, the service makes the same checks."""
        if import_validation_errors or not self.service_checks_records:
            super().validate_instance(instance, import_validation_errors, validate_unique)

    def save_instance(self, instance: Any, is_create: bool, row: Mapping[str, str], **kwargs: Any) -> None:
        after = self.exported(instance)
        changes = {
            name: self.fields[name].get_value(instance)
            for name in after
            if name in row and (is_create or after[name] != self.before[name])
        }
        try:
            record = self.write(instance, changes)
        except InvalidInput as refusal:
            raise validation_error(by_column(refusal.errors, list(self.columns()))) from refusal
        except Refusal as refusal:
            raise validation_error({"": [refusal.detail]}) from refusal
        self.touched[record.pk] = is_create

    def after_import(self, dataset: tablib.Dataset, result: Result, **kwargs: Any) -> None:
        """Not the library's: it would set the sequences of ids back to the highest committed one."""

    @classmethod
    def get_diff_class(cls) -> type[Differences]:
        return Differences

    # --- values ---------------------------------------------------------------------------------------------

    def exported(self, instance: Any) -> dict[str, Any]:
        return {name: self.fields[name].export(instance) for name in self.columns()}

    def name_of(self, record: Any) -> str:
        """What a report calls the record: its key, without what is empty."""
        return " · ".join(filter(None, (str(self.fields[column].export(record)) for column in self.key)))

    def key_of(self, record: Any) -> Hashable:
        """The key of a record that is there."""
        return tuple(tidied(str(self.fields[column].export(record))) for column in self.key)

    def key_in(self, row: Mapping[str, str]) -> Hashable:
        return tuple(row[column] for column in self.key)


class GatheringResource(ExchangeResource):
    """Lines that belong to a larger record, and are written together: a recipe's, an option group's, an option's.

    The lines are checked one by one, gathered by their owner, and given to the owner's service at the end. What it
    refuses is said at the line that it names.
    """

    # The column that names the owner.
    owner: ClassVar[str]
    service_checks_records = False

    def __init__(self, table: Table = NO_TABLE) -> None:
        super().__init__(table)
        self.gathered: dict[int, list[tuple[int, Any, RowResult]]] = {}

    def write_together(self, owner_id: int, instances: Sequence[Any], *, has_changes: bool) -> None:
        """Calls the service of the owner with all of its lines in the file, if there is anything to change."""
        raise NotImplementedError

    def owner_of(self, instance: Any) -> Model:
        found: Model = getattr(instance, self.owner)
        return found

    def save_instance(self, instance: Any, is_create: bool, row: Mapping[str, str], **kwargs: Any) -> None:
        """Nothing yet: together with the others, at the end."""
        self.touched[self.owner_of(instance).pk] = False

    def after_import_row(
        self, row: Mapping[str, str], row_result: RowResult, *, row_number: int, **kwargs: Any
    ) -> None:
        instance = row_result.instance
        self.gathered.setdefault(self.owner_of(instance).pk, []).append((row_number, instance, row_result))

    def after_import(self, dataset: tablib.Dataset, result: Result, **kwargs: Any) -> None:
        if result.has_errors() or result.has_validation_errors():
            return
        faults: list[Fault] = []
        for owner_id, rows in self.gathered.items():
            has_changes = any(row.import_type != RowResult.IMPORT_TYPE_SKIP for _number, _instance, row in rows)
            try:
                self.write_together(owner_id, [instance for _number, instance, _row in rows], has_changes=has_changes)
            except Refusal as refusal:
                faults += self.faults_at(refusal, [number for number, _instance, _row in rows])
        if faults:
            raise WrongLines(sorted(faults, key=lambda fault: fault.line))

    def faults_at(self, refusal: Refusal, numbers: Sequence[int]) -> Iterable[Fault]:
        """What the owner's service refused, at the first line of its lines."""
        first = self.table.lines[numbers[0] - 1].number
        if not isinstance(refusal, InvalidInput) or not refusal.errors:
            return [Fault(first, "", refusal.detail)]
        return [Fault(first, "", sentence) for sentences in refusal.errors.values() for sentence in sentences]


class OrderedLines(GatheringResource):
    """Lines that are their owner's as a whole: what the file does not have of a recipe that it names, goes."""

    def __init__(self, table: Table = NO_TABLE) -> None:
        super().__init__(table)
        self.leaving: list[ReportLine] = []

    def replace(self, owner_id: int, instances: Sequence[Any]) -> None:
        """Calls the service of the owner: it consists of these lines now."""
        raise NotImplementedError

    def write_together(self, owner_id: int, instances: Sequence[Any], *, has_changes: bool) -> None:
        there = [record for record in self.present.values() if self.owner_of(record).pk == owner_id]
        named = [one.pk for one in instances if one.pk]
        gone = [record for record in there if record.pk not in set(named)]
        places = {pk: place for place, pk in enumerate(named, start=1)}
        moved = [record.pk for record in there if record.pk in places] != named
        if moved:
            self.say_moved(owner_id, [record.pk for record in there], places)
        if not (has_changes or gone or moved):
            return
        self.replace(owner_id, instances)
        self.touched[owner_id] = False
        self.leaving += [ReportLine(None, Outcome.REMOVED, self.name_of(one)) for one in gone]

    def say_moved(self, owner_id: int, before: Sequence[int], after: Mapping[int, int]) -> None:
        """Lines that only stand in another order change too, and say so."""
        kept = [pk for pk in before if pk in after]
        for _number, instance, row in self.gathered[owner_id]:
            if row.import_type == RowResult.IMPORT_TYPE_SKIP and kept.index(instance.pk) + 1 != after[instance.pk]:
                row.import_type = RowResult.IMPORT_TYPE_UPDATE
                row.diff = [Difference(_("order"), str(kept.index(instance.pk) + 1), str(after[instance.pk]))]

    def removed(self) -> Iterable[ReportLine]:
        return self.leaving


def validation_error(faults: Mapping[str, Sequence[str]]) -> ValidationError:
    return ValidationError({column or NON_FIELD_ERRORS: list(sentences) for column, sentences in faults.items()})


def folded(key: Any) -> Hashable:
    return tuple(part.casefold() for part in key)


def shown(key: Any) -> str:
    return " · ".join(key)


def by_name(records: Iterable[Any]) -> dict[str, Any]:
    """Records by their names, as a cell can hold them."""
    return {tidied(record.name): record for record in records}
