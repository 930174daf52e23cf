"""The steps of the first-run page, and how far a shop has come: read from what is there, so it can be left any time."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foundation.models import Shop
from inventory.models import Location, Product, StockDocument
from project.demo.people import email_of
from users.choices import Role
from users.models import User


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its address, its name in the list of steps, and whether it may be left out."""

    name: str
    title: str | Promise
    is_optional: bool = False

    @property
    def url(self) -> str:
        return reverse(f"first_run:{self.name}")


ACCOUNT = Step("account", _("Your account"))
SHOP = Step("shop", _("The shop"))
LOCATION = Step("location", _("Location"))
MENU = Step("menu", _("Menu"), is_optional=True)
STOCK = Step("stock", _("Opening stock"), is_optional=True)
STAFF = Step("staff", _("Staff"), is_optional=True)
STEPS = (ACCOUNT, SHOP, LOCATION, MENU, STOCK, STAFF)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is done and what was left out."""

    done: frozenset[str]
    skipped: frozenset[str]
    is_finished: bool

    def needed_before(self, step: Step) -> Step | None:
        """The first step that has to be done before this one and is not; None if there is none."""
        for earlier in STEPS[: STEPS.index(step)]:
            if not earlier.is_optional and earlier.name not in self.done:
                return earlier
        return None

    def next(self) -> Step | None:
        """The first step that waits for somebody."""
        return next((step for step in STEPS if step.name not in self.done | self.skipped), None)

    def left(self) -> list[Step]:
        """What was left out or not come to, and is not done yet."""
        return [step for step in STEPS if step.name not in self.done]

    def shown(self, current: Step | None) -> Iterator[dict[str, object]]:
        """The steps as the page lists them."""
        for number, step in enumerate(STEPS, start=1):
            is_done = step.name in self.done
            yield {
                "number": number,
                "step": step,
                "state": "here" if step is current else "done" if is_done else "open",
                "is_done": is_done,
                "url": step.url if step is not current and self.needed_before(step) is None else "",
            }


def progress(user: User | None) -> Progress:
    """How far the shop has come, for the admin who is setting it up; nobody's before there is one. Two queries."""
    if user is None:
        return Progress(frozenset(), frozenset(), is_finished=False)
    shop = Shop.objects.first()
    there = {
        LOCATION.name: Exists(Location.objects.all()),
        MENU.name: Exists(Product.objects.all()),
        STOCK.name: Exists(StockDocument.objects.all()),
        STAFF.name: Exists(User.objects.filter(is_staff=True).exclude(pk=user.pk)),
    }
    found = User.objects.filter(pk=user.pk).annotate(**{f"has_{name}": there[name] for name in there}).get()
    done = {name for name in there if getattr(found, f"has_{name}")}
    if not is_of_the_demo(user):
        done.add(ACCOUNT.name)
    if shop is not None:
        done.add(SHOP.name)
    return Progress(
        frozenset(done),
        frozenset(shop.skipped_steps if shop else ()),
        is_finished=shop is not None and shop.set_up_at is not None,
    )


def is_of_the_demo(user: User) -> bool:
    """Whether somebody signs in with the demo's own account, whose password was shown on a screen."""
    return user.email == email_of(Role.ADMIN)
