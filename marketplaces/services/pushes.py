"""Bringing the quantities that marketplaces show to what the stock allows.

Quantities are a state, not a stream: whatever happened before, a run compares what each listing may offer now with
what the marketplace is known to show, and writes the difference. See docs/adr/0051-quantities-are-reconciled.md.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient, PushResult
from marketplaces.errors import MarketplaceError, NotSent, UnknownAccount
from marketplaces.locks import lock_account, lock_listings
from marketplaces.models import Listing, SellerAccount, SyncRun, SyncState
from marketplaces.services import push_alarms as alarms
from marketplaces.services import push_runs as runs
from marketplaces.services.gates import outside_a_transaction
from marketplaces.services.offered import offers_of, offers_of_account
from marketplaces.services.push_plan import (
    Target,
    going_to_nothing,
    is_absurd,
    most_urgent_first,
    parts,
    targets_of,
    why_not_sent,
)
from marketplaces.services.switch import may_write, pushes_are_stopped
from monitoring.selectors import open_alerts
from monitoring.services.alerts import resolve

# So many listings are written, and read back, before the next ones.
PART = 200
# So many are looked up at once.
LOOK_UP = 1000
FIRST_DELAY = datetime.timedelta(seconds=30)
LONGEST_DELAY = datetime.timedelta(hours=1)
# Who has to wait longer has been refused: a pair rests for half a minute on Ozon, an edit of Allegro's takes one.
LONGEST_REST = 60.0
# From so many refusals in a row on somebody is told.
TOLD_AFTER = 5
LONGEST_ERROR = 500

logger = structlog.get_logger("marketplaces.pushes")


def want_pushes(*, product_ids: Collection[int], location_id: int, at: datetime.datetime) -> int:
    """Marks, in the caller's transaction, the listings whose quantity may have changed because something of these
    products left the location or came back: those of all live accounts there whose product shares an ingredient with
    one of them, by its recipe or a default option. Says how many. One statement, which locks the listings in the order
    of their ids."""
    if not product_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH takes AS (
                SELECT line.product_id, line.ingredient_id FROM inventory_recipeline AS line
                UNION
                SELECT link.product_id, unnest(ARRAY[effect.ingredient_id, effect.replacement_id])
                FROM inventory_productoptiongroup AS link
                JOIN inventory_option AS option ON option.group_id = link.group_id AND option.is_default
                JOIN inventory_optioneffect AS effect ON effect.option_id = option.id
            ), touched AS (
                SELECT listing.id
                FROM marketplaces_listing AS listing
                JOIN marketplaces_selleraccount AS account ON account.id = listing.account_id
                WHERE account.location_id = %(location)s AND account.is_active AND account.mode = 'live'
                  AND listing.is_active
                  AND listing.product_id IN (
                      SELECT takes.product_id
                      FROM takes
                      JOIN takes AS sold ON sold.ingredient_id = takes.ingredient_id
                      WHERE sold.product_id = ANY(%(products)s)
                  )
                ORDER BY listing.id
                FOR NO KEY UPDATE OF listing
            )
            UPDATE marketplaces_listing SET push_wanted_at = %(at)s
            WHERE id IN (SELECT id FROM touched)
            """,
            {"location": location_id, "products": list(product_ids), "at": at},
        )
        return cursor.rowcount


def look_for_pushes(*, now: datetime.datetime) -> list[UUID]:
    """Looks at all accounts: closes the alerts of those that nothing is sent for any more, and returns those whose
    quantities are to be sent now."""
    forget_alerts_of_silent_accounts()
    return accounts_to_push(now=now)


def accounts_to_push(*, now: datetime.datetime) -> list[UUID]:
    """The live accounts with a listing that may show something else than it should, and those about which an alert is
    open that may be over; not while the switch is off, and none that a worker has or that is left alone after a
    failure. A constant number of queries."""
    if pushes_are_stopped():
        return []
    busy = SyncState.objects.filter(what=SyncRun.What.TRANSACTIONS, leased_until__gt=now) | SyncState.objects.filter(
        what=SyncRun.What.TRANSACTIONS, failures__gt=0, next_due_at__gt=now
    )
    live = SellerAccount.objects.filter(is_active=True, mode=SellerAccount.Mode.LIVE)
    accounts = [
        account.pk
        for account in live.exclude(pk__in=busy.values("account_id"))
        if not why_not_sent(account, is_stopped=False)
    ]
    listings = list(Listing.objects.filter(account_id__in=accounts, is_active=True))
    offers = offers_of([listing.pk for listing in listings], at=now)
    to_do = {
        target.listing.account_id
        for target in targets_of(listings, offers)
        if target.is_due(now) and (target.differs or target.wanted_at or target.is_to_be_looked_up(now))
    }
    told = set(open_alerts().filter(event__in=alarms.SENTENCES).values_list("subject", flat=True))
    return [pk for pk in accounts if pk in to_do or str(pk) in told]


@transaction.atomic
def forget_alerts_of_silent_accounts() -> int:
    """Closes what is said about the quantities of accounts that none are sent for any more: nobody else would. Returns
    how many alerts that were."""
    live = {str(pk) for pk in SellerAccount.objects.filter(is_active=True, mode="live").values_list("pk", flat=True)}
    told = list(open_alerts().filter(event__in=alarms.SENTENCES).values_list("event", "subject"))
    closed = 0
    for event in sorted({event for event, subject in told if subject not in live}):
        closed += resolve(
            event=event, subjects=[subject for one, subject in told if one == event and subject not in live]
        )
    return closed


@transaction.atomic
def ask_to_push(*, account_id: UUID) -> SellerAccount:
    """Somebody wants the account's quantities sent now: what the marketplace has refused is not waited for. Whoever
    calls hands the account to a task. Raises UnknownAccount, and NotSent with the reason."""
    account = lock_account(account_id)
    if reason := why_not_sent(account, is_stopped=pushes_are_stopped()):
        raise NotSent(reason)
    refused = Listing.objects.filter(account=account, push_attempts__gt=0).values_list("pk", flat=True)
    ids = [listing.pk for listing in lock_listings(list(refused))]
    Listing.objects.filter(pk__in=ids).update(push_not_before=None)
    return account


def push_quantities(
    *, account_id: UUID, at: datetime.datetime, is_sure: bool = False, by_id: int | None = None
) -> SyncRun | None:
    """Writes to the marketplace what the account's listings may offer now, where it differs from what is shown there,
    and reads it back. Network: never inside a transaction.

    Does nothing for an account that nothing may be sent to (see `why_not_sent`), and while another worker is at it;
    None then, and also when there was nothing to write. `is_sure`: a person (`by_id`) has looked at it, and a
    change that takes most of the account's offers off is made.

    What the marketplace fails in ends the run and is written down, not raised. Raises UnknownAccount, NotConnected.
    """
    outside_a_transaction()
    account = SellerAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    if why_not_sent(account, is_stopped=pushes_are_stopped()):
        return None
    lease = runs.claim(account_id=account_id, at=at, is_asked_for=by_id is not None)
    if lease is None:
        return None
    push = Push(account, lease, at=at, is_sure=is_sure, by_id=by_id)
    try:
        push.run()
    except runs.LeaseLost:
        return push.written
    except MarketplaceError as error:
        push.end(error)
    except BaseException as error:
        push.end(error)
        raise
    else:
        push.end(None)
    return push.written


class Push:
    """One run over the listings of an account. The lease is held while it lives."""

    def __init__(
        self,
        account: SellerAccount,
        lease: runs.Lease,
        *,
        at: datetime.datetime,
        is_sure: bool,
        by_id: int | None,
    ) -> None:
        self.account, self.lease = account, lease
        self.at, self.is_sure, self.by_id = at, is_sure, by_id
        self.written: SyncRun | None = None
        self.tally = runs.Tally()

    def run(self) -> None:
        # The listings with their marks first, what they may offer afterwards: a mark that is read here tells of
        # nothing that the offers do not know.
        listings = list(Listing.objects.filter(account=self.account, is_active=True).order_by("pk"))
        targets = targets_of(listings, offers_of_account(self.account.pk, at=self.at))
        due = [target for target in targets if target.is_due(self.at)]
        unsure = [target for target in due if target.is_to_be_looked_up(self.at)]
        known = [target for target in due if not target.is_to_be_looked_up(self.at)]
        self.settle([target for target in known if not target.differs and target.wanted_at])
        client = client_of(self.account, read_timeout=self.lease.read_timeout) if unsure or any_differ(known) else None
        changed = [target for target in known if target.differs]
        if client is not None:
            for part in parts(unsure, LOOK_UP):
                changed += self.look_up(client, part)
        if self.is_held(changed, listings=len(listings)):
            return
        chosen = most_urgent_first(changed)[: self.account.max_changes_per_run]
        self.say_what_waits(len(changed) - len(chosen))
        if client is not None and chosen:
            self.write(client, chosen)
        self.say_what_is_rejected()

    def is_held(self, changed: Sequence[Target], *, listings: int) -> bool:
        """Whether the change is not believed; somebody is told then, and nothing is written."""
        emptied = len(going_to_nothing(changed))
        if self.is_sure or not is_absurd(emptied=emptied, listings=listings):
            alarms.unsay(alarms.PUSHES_HELD, self.account)
            return False
        alarms.say(alarms.PUSHES_HELD, self.account, emptied=emptied, listings=listings)
        logger.warning("pushes_held", account=str(self.account.pk), emptied=emptied, listings=listings)
        return True

    def look_up(self, client: MarketplaceClient, targets: Sequence[Target]) -> list[Target]:
        """Reads what the marketplace shows for these, and returns those that show something else than they should."""
        shown = client.quantities([target.change(self.account) for target in targets])
        self.keep_lease()
        return [target for target in self.record(targets, shown) if target.differs]

    def write(self, client: MarketplaceClient, chosen: Sequence[Target]) -> None:
        """Writes these part by part, each read back before the next. The switch and the account's mode are asked
        before each part, and what it may offer by then: those before it may have taken minutes."""
        self.written = runs.begin(self.lease, account=self.account, at=self.at, by_id=self.by_id)
        for part in parts(chosen, PART):
            self.account.refresh_from_db(fields=["mode", "is_active"])
            if not may_write(self.account):
                self.tally.skipped += len(part)
                continue
            self.keep_lease()
            part = self.as_of_now(part)
            if not part:
                continue
            # Until it has been read back nobody knows what is shown: whoever comes after a crash reads it first.
            self.forget_what_is_shown(part)
            changes = [target.change(self.account) for target in part]
            results = {result.sku: result for result in client.set_quantities(changes)}
            self.record(part, client.quantities(changes), results)

    def as_of_now(self, targets: Sequence[Target]) -> list[Target]:
        """What of these still differs, with the marks read before what they may offer. What somebody has switched off
        or deleted meanwhile is left alone."""
        found = Listing.objects.in_bulk([target.listing.pk for target in targets])
        listings = [found[target.listing.pk] for target in targets if target.listing.pk in found]
        active = [listing for listing in listings if listing.is_active]
        offers = offers_of([listing.pk for listing in active], at=self.at)
        return [target for target in targets_of(active, offers) if target.differs]

    @transaction.atomic
    def forget_what_is_shown(self, targets: Sequence[Target]) -> None:
        """Locked in their order, in which a sale marks them at the same moment."""
        ids = [listing.pk for listing in lock_listings([target.listing.pk for target in targets])]
        Listing.objects.filter(pk__in=ids).update(offered=None)

    @transaction.atomic
    def record(
        self,
        targets: Sequence[Target],
        shown: Mapping[str, int | None],
        results: Mapping[str, PushResult] | None = None,
    ) -> list[Target]:
        """Keeps what the marketplace shows for these listings, and after a write what became of it (`results`). Returns
        them as they are now. What the marketplace does not name, it shows nothing of; of what can't be read (None)
        nobody knows."""
        fresh = {one.pk: one for one in lock_listings([target.listing.pk for target in targets])}
        kept = [
            Target(fresh[target.listing.pk], target.pieces, target.wanted_at)
            for target in targets
            if target.listing.pk in fresh
        ]
        for target in kept:
            listing = target.listing
            listing.offered, listing.offered_at = shown.get(listing.sku, 0), self.at
            result = results.get(listing.sku) if results else None
            if not target.differs:
                self.is_right(target, result)
            elif results is not None:
                self.is_wrong(target, result)
        if results is not None:
            self.tally.processed += len(kept)
            self.tally.updated += sum(not target.differs for target in kept)
        Listing.objects.bulk_update(
            [target.listing for target in kept],
            ["offered", "offered_at", "push_wanted_at", "push_not_before", "push_attempts", "push_error"],
            batch_size=PART,
        )
        return kept

    def is_right(self, target: Target, result: PushResult | None) -> None:
        listing = target.listing
        listing.push_attempts, listing.push_error = 0, ""
        listing.push_not_before = self.not_before(result)
        if listing.push_wanted_at == target.wanted_at:
            listing.push_wanted_at = None

    def is_wrong(self, target: Target, result: PushResult | None) -> None:
        """It was written and does not show: the marketplace wants to be asked later, said no, or said nothing."""
        listing = target.listing
        listing.push_not_before = self.not_before(result)
        if result is not None and not result.is_taken and result.retry_after and result.retry_after <= LONGEST_REST:
            self.tally.skipped += 1
            return
        listing.push_attempts += 1
        listing.push_error = (result.reason if result and result.reason else not_shown(target))[:LONGEST_ERROR]
        delay = min(FIRST_DELAY * 2 ** min(listing.push_attempts - 1, 10), LONGEST_DELAY)
        listing.push_not_before = max(self.at + delay, listing.push_not_before or self.at)
        self.tally.problems.append({"item": listing.sku, "reason": listing.push_error})

    def not_before(self, result: PushResult | None) -> datetime.datetime | None:
        """Until when the marketplace takes no further quantity of a listing, if it said so."""
        if result is None or result.retry_after is None:
            return None
        return self.at + datetime.timedelta(seconds=result.retry_after)

    @transaction.atomic
    def settle(self, targets: Sequence[Target]) -> None:
        """Takes the marks off listings that show what they should."""
        seen = {target.listing.pk: target.wanted_at for target in targets}
        done = [one.pk for one in lock_listings(list(seen)) if one.push_wanted_at == seen[one.pk]] if seen else []
        if done:
            Listing.objects.filter(pk__in=done).update(push_wanted_at=None)

    def keep_lease(self) -> None:
        runs.keep(self.lease, account_id=self.account.pk, at=timezone.now())

    def say_what_waits(self, waiting: int) -> None:
        if waiting:
            alarms.say(alarms.PUSHES_CAPPED, self.account, most=self.account.max_changes_per_run, waiting=waiting)
        else:
            alarms.unsay(alarms.PUSHES_CAPPED, self.account)

    def say_what_is_rejected(self) -> None:
        rejected = list(
            Listing.objects.filter(account=self.account, is_active=True, push_attempts__gte=TOLD_AFTER)
            .order_by("pk")
            .values_list("sku", "push_error")
        )
        if not rejected:
            alarms.unsay(alarms.PUSH_REJECTED, self.account)
            return
        skus = alarms.named([sku for sku, _reason in rejected])
        alarms.say(alarms.PUSH_REJECTED, self.account, number=len(rejected), skus=skus, reason=rejected[0][1])

    def end(self, failure: BaseException | None) -> None:
        """Writes down how it ended and gives the lease back."""
        ended = timezone.now()
        if failure is not None and self.written is None:
            self.written = runs.begin(self.lease, account=self.account, at=self.at, by_id=self.by_id)
        if self.written is not None:
            runs.finish(self.written, self.tally, failure=failure, at=ended)
            logger.info(
                "quantities_sent",
                account=str(self.account.pk),
                run=str(self.written.pk),
                status=self.written.status,
                processed=self.written.processed,
                updated=self.written.updated,
                error=self.written.error,
            )
        runs.release(self.lease, account_id=self.account.pk, failure=failure, at=ended)


def any_differ(targets: Sequence[Target]) -> bool:
    return any(target.differs for target in targets)


def not_shown(target: Target) -> str:
    """The marketplace took it, and shows something else, or nobody knows what."""
    if target.listing.offered is None:
        return _("What the marketplace shows can't be read.")
    return _("The marketplace took %(wanted)d and shows %(shown)d.") % {
        "wanted": target.pieces,
        "shown": target.listing.offered,
    }
