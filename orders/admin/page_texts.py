"""What the new-order page's script says to people."""

from django.utils.translation import gettext as _


def page_texts() -> dict[str, str]:
    """The script's sentences in the reader's language; {names} are filled in by the script."""
    return {
        "all": _("All"),
        "untitled": _("Nothing here. Try another word."),
        "off_menu": _("Off the menu"),
        "short_of": _("Out of {names}"),
        "not_available": _("Not available"),
        "choose_at_least": _("Choose at least {number}"),
        "choose_up_to": _("Choose up to {number}"),
        "choose_exactly": _("Choose {number}"),
        "choose_one": _("Choose one"),
        "free": _("{number} free"),
        "off": _("off"),
        "low": _("low"),
        "add": _("Add · {price}"),
        "change": _("Change · {price}"),
        "edit": _("Change {name}"),
        "remove": _("Remove {name}"),
        "more": _("One more {name}"),
        "less": _("One less {name}"),
        "empty": _("Pick something from the menu."),
        "short_title": _("Not enough in stock"),
        "corrections_title": _("The stock will be corrected"),
        "unavailable_title": _("Not available now: {names}"),
        "unavailable_hint": _("Choose something else, or receive stock first."),
        "unreachable": _(
            "The shop does not answer. Your order is still here: check the connection, or sign in again in another "
            "tab, and try again."
        ),
        "wait": _("One moment…"),
        "nobody": _("Nobody found."),
        "add_customer": _("Add “{name}” as a new customer"),
        "cart": _("Order · {number}"),
        "has_points": _("has {points} points"),
        "name_needed": _("Write the customer's name."),
    }
