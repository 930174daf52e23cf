"""A column that takes its value from a database sequence."""

from typing import Any

from django.db import models
from django.db.models import Func, Value


class SequenceField(models.BigIntegerField):
    """A number that the database draws from `sequence` when the row is inserted, and returns at once.

    Gaps are allowed: a rolled-back insert keeps its number. The sequence itself is made by a migration.
    """

    db_returning = True

    def __init__(self, *args: Any, sequence: str, **kwargs: Any) -> None:
        self.sequence = sequence
        kwargs["db_default"] = Func(Value(sequence), function="nextval", output_field=models.BigIntegerField())
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_default", None)
        kwargs.pop("editable", None)
        kwargs["sequence"] = self.sequence
        return name, path, args, kwargs
