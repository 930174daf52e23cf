"""Writing quantities to Allegro's offers.

More than nothing is written by a command for many offers of the same quantity, whose result is asked for afterwards.
Zero is not possible so: an offer that is sold out is ended, and must be activated again to be sold again. That is done
here for offers that ended because they were sold out, not for those that somebody ended on purpose.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.clients import http
from marketplaces.clients.allegro_offers import DRAFT, MOST_OFFERS, Offer, offers_by_id
from marketplaces.clients.answers import Answer, need, optional
from marketplaces.clients.base import PushResult, QuantityChange
from marketplaces.clients.gate import Gate
from marketplaces.clients.http import ApiSession
from marketplaces.clients.parallel import at_home, in_parallel
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, NotFound, RateLimited
from marketplaces.services.gates import pass_gate

MEDIA_TYPE = "application/vnd.allegro.public.v1+json"
# Seconds between two questions for the result of a command or an edit: about a quarter of a minute in all.
PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0)
LATER = 60.0
# Why an offer may have ended that is to be sold again when there is stock again. What an admin, the end of its time or
# an error ended needs a person. USER stands here because zero stock may be noted so: the stock tells the two apart.
SOLD_OUT, BY_SELLER = "EMPTY_STOCK", "USER"


@dataclass(slots=True)
class Plan:
    """What is to be written: commands by quantity, edits of single offers, and what needs or allows no call."""

    commands: dict[int, list[str]] = field(default_factory=dict)
    edits: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    results: dict[str, PushResult] = field(default_factory=dict)


def set_quantities(session: ApiSession, changes: Sequence[QuantityChange], *, gate: Gate) -> list[PushResult]:
    """See MarketplaceClient.set_quantities. `gate` is the limit of changed offers."""
    wanted = {change.sku: change.quantity for change in changes}
    offers, unreadable = offers_by_id(session, wanted)
    plan = plan_for(session, {sku: quantity for sku, quantity in wanted.items() if sku not in unreadable}, offers)
    plan.results |= {sku: not_taken(sku, reason) for sku, reason in unreadable.items()}
    results = dict(plan.results)
    jobs = [
        *(
            partial(run_command, session, skus[start : start + MOST_OFFERS], quantity, gate=gate)
            for quantity, skus in plan.commands.items()
            for start in range(0, len(skus), MOST_OFFERS)
        ),
        *(partial(edit_offer, session, sku, body, gate=gate) for sku, body in plan.edits.items()),
    ]
    for outcome in in_parallel(jobs):
        if isinstance(outcome, MarketplaceError):
            # Each job turns its failures into results; what is left concerns the whole account.
            raise outcome
        results |= {result.sku: result for result in outcome}
    return [results[sku] for sku in wanted]


def plan_for(session: ApiSession, wanted: Mapping[str, int], offers: Mapping[str, Offer]) -> Plan:
    """What has to be written so that these offers show the wanted quantities; what they show already is not."""
    plan = Plan()
    ended: list[str] = []
    for sku, quantity in wanted.items():
        offer = offers.get(sku)
        if offer is None:
            plan.results[sku] = not_taken(sku, _("Allegro does not have this offer."))
        elif offer.is_fulfilment:
            plan.results[sku] = not_taken(sku, _("Allegro's own warehouse keeps this offer's stock."))
        elif offer.on_sale == quantity:
            plan.results[sku] = PushResult(sku, is_taken=True)
        elif quantity == 0:
            plan.edits[sku] = {"stock": {"available": 0}}
        elif offer.on_sale or offer.status not in (DRAFT, "ENDED"):
            plan.commands.setdefault(quantity, []).append(sku)
        elif offer.status == DRAFT:
            plan.results[sku] = not_taken(sku, _("The offer is a draft. Publish it on Allegro first."))
        else:
            ended.append(sku)
    for sku, reason in zip(ended, reasons_of_end(session, ended), strict=True):
        if reason == SOLD_OUT or (reason in (BY_SELLER, "") and offers[sku].available == 0):
            plan.edits[sku] = {"stock": {"available": wanted[sku]}, "publication": {"status": "ACTIVE"}}
        else:
            sentence = _("The offer was ended on Allegro (%(reason)s). Activate it there if it is to be sold again.")
            plan.results[sku] = not_taken(sku, sentence % {"reason": reason or "-"})
    return plan


def reasons_of_end(session: ApiSession, skus: Sequence[str]) -> list[str]:
    """Why each of these offers has ended, in Allegro's words."""
    reasons: list[str] = []
    for outcome in in_parallel([partial(reason_of_end, session, sku) for sku in skus]):
        if isinstance(outcome, MarketplaceError):
            raise outcome
        reasons.append(outcome)
    return reasons


def reason_of_end(session: ApiSession, sku: str) -> str:
    data = session.call("GET", f"/sale/product-offers/{sku}", is_safe=True).data
    return optional(data, "publication.endedBy", str) or ""


# --- many offers at once ------------------------------------------------------------------------------


def run_command(session: ApiSession, skus: Sequence[str], quantity: int, *, gate: Gate) -> list[PushResult]:
    """Gives these offers the quantity (above 0) and says what became of each."""
    command_id = str(uuid.uuid4())
    return or_failures(skus, lambda: command_results(session, command_id, skus, quantity, gate=gate))


def command_results(
    session: ApiSession, command_id: str, skus: Sequence[str], quantity: int, *, gate: Gate
) -> list[PushResult]:
    # Of this limit the command takes as much as it changes offers; of the limit of calls, one.
    changed = http.quicker(gate, session.pace)
    http.pause(at_home(lambda: pass_gate(changed, cost=len(skus))).wait)
    session.call(
        "PUT",
        f"/sale/offer-quantity-change-commands/{command_id}",
        json={
            "modification": {"changeType": "FIXED", "value": quantity},
            "offerCriteria": [{"type": "CONTAINS_OFFERS", "offers": [{"id": sku} for sku in skus]}],
        },
        headers={"Content-Type": MEDIA_TYPE},
        # The same id twice is one command: a repeat is answered with 409 when the first one arrived.
        is_safe=True,
        accept=(200, 201, 409),
    )
    tasks: dict[str, tuple[str, str]] = {}
    for seconds in (0.0, *PATIENCE):
        if seconds:
            http.pause(seconds)
        tasks = tasks_of(session, command_id)
        if all(tasks.get(sku, ("NEW", ""))[0] != "NEW" for sku in skus):
            break
    return [result_of(sku, *tasks.get(sku, ("NEW", ""))) for sku in skus]


def tasks_of(session: ApiSession, command_id: str) -> dict[str, tuple[str, str]]:
    """{offer: (status, what is wrong)} of a command."""
    path = f"/sale/offer-quantity-change-commands/{command_id}/tasks"
    data = session.call("GET", path, params={"limit": MOST_OFFERS, "offset": 0}, is_safe=True).data
    return {need(task, "offer.id", str): read_task(task) for task in need(data, "tasks", list)}


def read_task(task: Any) -> tuple[str, str]:
    text = optional(task, "errors.0.userMessage", str) or optional(task, "errors.0.message", str)
    return need(task, "status", str), text or optional(task, "message", str) or ""


def result_of(sku: str, status: str, text: str) -> PushResult:
    if status == "SUCCESS":
        return PushResult(sku, is_taken=True)
    if status == "NEW":
        return not_taken(sku, _("Allegro is still working on it."), retry_after=LATER)
    return not_taken(sku, text or _("Allegro refused it and does not say why."))


# --- one offer ----------------------------------------------------------------------------------------


def edit_offer(session: ApiSession, sku: str, body: Mapping[str, Any], *, gate: Gate) -> list[PushResult]:
    """Changes one offer's stock, and its publication with it; follows what Allegro does later."""
    return or_failures([sku], lambda: edit_results(session, sku, body, gate=gate))


def edit_results(session: ApiSession, sku: str, body: Mapping[str, Any], *, gate: Gate) -> list[PushResult]:
    answer = session.call(
        "PATCH",
        f"/sale/product-offers/{sku}",
        json=body,
        headers={"Content-Type": MEDIA_TYPE},
        # It says what shall be, not by how much it changes.
        is_safe=True,
        gates=[gate],
        accept=(200, 202, 409),
    )
    if answer.status == 409:
        return [not_taken(sku, _("Allegro is still working on an earlier change of the offer."), retry_after=LATER)]
    if answer.status == 202 and not is_through(session, sku, answer):
        return [not_taken(sku, _("Allegro is still working on it."), retry_after=LATER)]
    return [PushResult(sku, is_taken=True)]


def is_through(session: ApiSession, sku: str, answer: Answer) -> bool:
    """Whether an edit that goes on in the background came to its end while we looked."""
    operation = answer.headers.get("Location", "").rstrip("/").rpartition("/")[2]
    if not operation.replace("-", "").isalnum():
        # Not told where to look: reading back will show.
        return True
    path = f"/sale/product-offers/{sku}/operations/{operation}"
    return any(ended_after(seconds, partial(is_ended, session, path)) for seconds in (0.0, *PATIENCE))


def ended_after(seconds: float, is_over: Callable[[], bool]) -> bool:
    if seconds:
        http.pause(seconds)
    return is_over()


def is_ended(session: ApiSession, path: str) -> bool:
    try:
        return session.call("GET", path, is_safe=True, accept=(200, 202)).status != 202
    except NotFound:
        return True
    except BadAnswer as error:
        # 303 points to the offer: that is how the end is said.
        if error.status == 303:
            return True
        raise


# --- failures -----------------------------------------------------------------------------------------


def or_failures(skus: Iterable[str], act: Callable[[], list[PushResult]]) -> list[PushResult]:
    """What `act` says, or its failure as the result of each of these offers, so that other offers' results are not
    lost. Raises NotAuthorised, which concerns the whole account."""
    try:
        return act()
    except NotAuthorised:
        raise
    except MarketplaceError as error:
        wait = error.retry_after if isinstance(error, RateLimited) else None if error.is_final else LATER
        return [not_taken(sku, str(error), retry_after=wait) for sku in skus]


def not_taken(sku: str, reason: str, *, retry_after: float | None = None) -> PushResult:
    return PushResult(sku, is_taken=False, reason=reason, retry_after=retry_after)
