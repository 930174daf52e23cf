"""`manage.py fetch`: copies of backups come back from the places where they were sent."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from backups.engine.manifest import Kind
from backups.engine.place import Place, places_of_the_shop
from backups.engine.place_wal import fetch_wal
from backups.engine.places import Listing, fetch, listing
from backups.engine.repository import Repository, Stored
from backups.errors import BackupFailed, Busy, Damaged, PlaceFailed, UnknownBackup
from backups.services.index import try_to_refresh

NEWEST = "newest"


class Command(BaseCommand):
    help = (
        "Brings backups back from the places that BACKUP_PLACES names, for a machine that has lost its own: with the "
        "same BACKUP_PLACES and BACKUP_KEY as before. Without arguments it says what is there. A physical backup comes "
        "with those that it builds upon and with the WAL after it. It needs no database, and changes nothing in the "
        "places; then go on with `manage.py recover` or `manage.py restore`."
    )
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", nargs="?", help=f'the id of a backup, or "{NEWEST}" for the newest physical one')
        parser.add_argument("--replace", action="store_true", help="also where it is here already and is damaged")

    def handle(self, *, backup: str | None, replace: bool, **options: Any) -> None:
        try:
            places = places_of_the_shop()
            if not places:
                raise CommandError("BACKUP_PLACES names no place: put the one that the copies are in into .env.")
            if backup is None:
                self.say_copies(places)
                return
            repository = Repository.of_the_shop()
            with repository.lock("work", doing=_("Fetching a backup")):
                self.fetch(places, backup, repository, replace=replace)
        except BackupFailed as failure:
            raise CommandError(str(failure)) from None
        except (Busy, UnknownBackup) as refusal:
            raise CommandError(refusal.detail) from None
        try_to_refresh(repository=repository)

    def say_copies(self, places: list[Place]) -> None:
        """A place that can't be reached hides no other."""
        for place in places:
            self.stdout.write(f"{place.name}:")
            try:
                found = listing(place)
            except PlaceFailed as failure:
                self.stdout.write(self.style.ERROR(f"  {failure}"))
                continue
            for copy in found.copies:
                at = f"{copy.manifest.started_at:%Y-%m-%d %H:%M:%S UTC}"
                size = sum(copy.sizes.values()) // 1024**2
                self.stdout.write(f"  {copy.id}  {copy.manifest.kind:<8}  {at}  {size} MB")
            for backup_id, why in found.unreadable.items():
                self.stdout.write(self.style.ERROR(f"  {backup_id}  {why}"))
            for backup_id in found.unfinished:
                self.stdout.write(f"  {backup_id}  was never sent to its end")

    def fetch(self, places: list[Place], backup: str, repository: Repository, *, replace: bool) -> None:
        """From the first place that has it. Raises BackupFailed, Busy, UnknownBackup."""
        failure: BackupFailed | UnknownBackup = UnknownBackup(backup)
        for place in places:
            try:
                backup_id = newest_of(listing(place)) if backup == NEWEST else backup
                stored = fetch(place, backup_id, repository, replaces=replace, progress=self.tell)
            except UnknownBackup:
                continue
            except BackupFailed as error:
                self.stdout.write(self.style.ERROR(f"{place.name}: {error}"))
                failure = error
                continue
            self.say_fetched(place, stored, repository)
            return
        raise failure

    def say_fetched(self, place: Place, stored: Stored, repository: Repository) -> None:
        self.stdout.write(self.style.SUCCESS(f"{stored.id} is here, in {stored.folder}."))
        manifest = stored.manifest
        if manifest.kind == Kind.LOGICAL:
            self.stdout.write(f"Restore it:     manage.py restore {stored.id}")
            return
        try:
            names = fetch_wal(
                place, repository, manifest.system_identifier, since=manifest.start_wal, progress=self.tell
            )
        except Damaged as damage:
            # The others have come.
            for finding in damage.findings:
                self.stdout.write(self.style.ERROR(finding))
        else:
            self.stdout.write(f"{len(names)} segments of WAL came with it.")
        self.stdout.write("What can be recovered:     manage.py recover")
        self.stdout.write("To the last moment:        manage.py recover --latest")

    def tell(self, stage: str, share: float | None) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{_(stage)} {int((share or 0) * 100)} %", ending="")


def newest_of(found: Listing) -> str:
    """The newest physical copy, or the newest one where there is none. Raises UnknownBackup, or why those that are
    there can't be read."""
    physical = [copy for copy in found.copies if copy.manifest.kind == Kind.PHYSICAL]
    for copies in (physical, found.copies):
        if copies:
            return max(copies, key=lambda copy: copy.manifest.started_at).id
    raise next(iter(found.unreadable.values()), UnknownBackup(NEWEST))
