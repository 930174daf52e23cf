"""What one portion takes that is sold where nobody is asked anything."""

from decimal import Decimal

from inventory.costs import usual_options
from inventory.menu import MenuProduct
from inventory.recipes import portion


def usual_portion(product: MenuProduct) -> dict[int, Decimal]:
    """What one portion takes when nobody chooses: the recipe as it is written, with the default option of each group
    that demands a choice (a cup has some size). Nothing for a product without a recipe."""
    return portion(product, [option for group, option in usual_options(product) if group.min_choices])
