"""What a product asks and what somebody answered: the state of the form on its page."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import InvalidInput
from inventory.menu import MenuGroup, MenuOption, MenuProduct
from orders.pages.answers import as_id
from orders.pages.session_cart import MOST_OPTIONS
from orders.pricing import LARGEST_QUANTITY, OrderLine, PricedLine, price_order

# Every group of options has a field of its own, so that radio buttons of one do not put out those of another.
GROUP = "group-"


@dataclass(frozen=True, slots=True)
class OfferedOption:
    """An option as the form shows it."""

    option: MenuOption
    is_in_stock: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Question:
    """An option group as the form asks it."""

    group: MenuGroup
    options: list[OfferedOption]

    @property
    def name(self) -> str:
        return f"{GROUP}{self.group.id}"

    @property
    def is_single(self) -> bool:
        """Whether radio buttons ask it: one answer at most."""
        return self.group.max_choices == 1

    @property
    def is_required(self) -> bool:
        return self.group.min_choices > 0

    @property
    def has_answer(self) -> bool:
        return any(one.is_chosen for one in self.options)

    @property
    def hint(self) -> str:
        """What somebody may choose, in words."""
        least, most, free = self.group.min_choices, self.group.max_choices, self.group.free_choices
        parts = []
        if self.is_single:
            parts.append(_("choose one") if self.is_required else _("if you like"))
        elif least == most:
            parts.append(_("choose %(number)d") % {"number": most})
        elif least:
            parts.append(_("choose %(least)d to %(most)d") % {"least": least, "most": most})
        else:
            parts.append(_("up to %(most)d") % {"most": most})
        if free:
            parts.append(ngettext("%(number)d is free", "%(number)d are free", free) % {"number": free})
        return ", ".join(parts)


@dataclass(slots=True)
class Choice:
    """What somebody wants of a product, checked: `faults` says in sentences what is wrong with it, and then there is
    no `line`."""

    questions: list[Question]
    quantity: str
    line: PricedLine | None = None
    faults: list[str] = field(default_factory=list)


def first_choice(product: MenuProduct, in_stock: Collection[int]) -> Choice:
    """The form as it is shown first: the defaults that are there, and of what has to be answered the first answer."""
    chosen: set[int] = set()
    for group in product.groups:
        there = [option for option in group.options.values() if option.id in in_stock]
        defaults = [option.id for option in there if option.is_default][: group.max_choices]
        if len(defaults) < group.min_choices and group.max_choices == 1:
            defaults = [option.id for option in there[:1]]
        chosen |= set(defaults)
    choice = Choice(questions_of(product, in_stock, chosen), "1")
    # Where something has to be chosen first there is no price yet; the form says what.
    with suppress(InvalidInput):
        choice.line = priced(product, 1, sorted(chosen))
    return choice


def read_choice(product: MenuProduct, in_stock: Collection[int], data: QueryDict) -> Choice:
    """What the form says, and what it costs."""
    texts = [text for name in data if name.startswith(GROUP) for text in data.getlist(name) if text]
    ids = [as_id(text) for text in texts[: MOST_OPTIONS + 1]]
    chosen = {pk for pk in ids if pk is not None}
    quantity = data.get("quantity", "1").strip()[:10]
    choice = Choice(questions_of(product, in_stock, chosen), quantity)
    number = as_id(quantity) or 0
    if not 1 <= number <= LARGEST_QUANTITY:
        choice.faults.append(_("The quantity must be a whole number from 1 to %(most)d.") % {"most": LARGEST_QUANTITY})
    if None in ids or len(ids) > MOST_OPTIONS:
        choice.faults.append(_("One of the options is not offered any more. Choose again."))
    gone = [
        one.option.name
        for question in choice.questions
        for one in question.options
        if one.is_chosen and not one.is_in_stock
    ]
    if gone:
        choice.faults.append(_("Sold out: %(names)s. Choose something else.") % {"names": ", ".join(gone)})
    if not choice.faults:
        try:
            choice.line = priced(product, number, sorted(chosen))
        except InvalidInput as refusal:
            choice.faults += [sentence for sentences in refusal.errors.values() for sentence in sentences]
    return choice


def priced(product: MenuProduct, quantity: int, option_ids: Sequence[int]) -> PricedLine:
    """The line with its price. Raises WrongLines."""
    line = OrderLine(product.id, quantity, tuple(option_ids))
    return price_order(menu={product.id: product}, lines=[line]).lines[0]


def questions_of(product: MenuProduct, in_stock: Collection[int], chosen: Collection[int]) -> list[Question]:
    return [
        Question(
            group,
            [OfferedOption(option, option.id in in_stock, option.id in chosen) for option in group.options.values()],
        )
        for group in product.groups
        if group.options
    ]
