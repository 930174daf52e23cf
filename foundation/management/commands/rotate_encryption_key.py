from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foundation.services.rotation import rotate_everything


class Command(BaseCommand):
    help = (
        "Encrypts every encrypted value of the database anew with the first key of FIELD_ENCRYPTION_KEYS. "
        "May be interrupted and run again, also while the shop is open. "
        "When it says that nothing is left, the older keys can be taken away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for column in rotate_everything():
            unreadable += len(column.unreadable)
            self.stdout.write(
                f"{column.column}: {column.rotated} encrypted anew, {column.up_to_date} had the key already"
            )
            if column.unreadable:
                self.stderr.write(
                    f"{column.column}: can't be decrypted in the rows {', '.join(column.unreadable[:20])}"
                )
        if unreadable:
            raise CommandError(
                f"{unreadable} values open with none of the keys and were left as they are: put the key that encrypted "
                "them at the end of FIELD_ENCRYPTION_KEYS and run this again, or store those values anew."
            )
        self.stdout.write("Nothing is left under an older key.")
