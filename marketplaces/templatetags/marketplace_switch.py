"""{% switch_banner %}: says on each page about marketplaces that nothing is sent to them, while it is so."""

from typing import Any

from django import template

from marketplaces.services.switch import the_switch

register = template.Library()


@register.inclusion_tag("marketplaces/switch_banner.html", takes_context=True)
def switch_banner(context: dict[str, Any]) -> dict[str, Any]:
    """The banner, or nothing while everything is sent. One query."""
    return {"switch": the_switch(), "perms": context.get("perms")}
