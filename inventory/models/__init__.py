from inventory.models.catalogue import Category, Option, OptionEffect, OptionGroup, Product, ProductOptionGroup
from inventory.models.location import DefaultLocation, Location
from inventory.models.recipe import Ingredient, RecipeLine
from inventory.models.stock import StockDocument, StockLevel, StockMovement

__all__ = [
    "Category",
    "DefaultLocation",
    "Ingredient",
    "Location",
    "Option",
    "OptionEffect",
    "OptionGroup",
    "Product",
    "ProductOptionGroup",
    "RecipeLine",
    "StockDocument",
    "StockLevel",
    "StockMovement",
]
