from inventory.models.catalogue import Category, Option, OptionEffect, OptionGroup, Product, ProductOptionGroup
from inventory.models.count import StockCount, StockCountLine
from inventory.models.location import DefaultLocation, Location
from inventory.models.lot import StockLot
from inventory.models.preparation import Preparation, PreparationRecipe, PreparationRecipeLine
from inventory.models.purchasing import PurchaseOrder, PurchaseOrderLine, Supplier, SupplierPack
from inventory.models.recipe import Ingredient, RecipeLine
from inventory.models.search import KnownWord, ProductWords
from inventory.models.shelf import Shelf
from inventory.models.stock import StockDocument, StockLevel, StockMovement

__all__ = [
    "Category",
    "DefaultLocation",
    "Ingredient",
    "KnownWord",
    "Location",
    "Option",
    "OptionEffect",
    "OptionGroup",
    "Preparation",
    "PreparationRecipe",
    "PreparationRecipeLine",
    "Product",
    "ProductOptionGroup",
    "ProductWords",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "RecipeLine",
    "Shelf",
    "StockCount",
    "StockCountLine",
    "StockDocument",
    "StockLevel",
    "StockLot",
    "StockMovement",
    "Supplier",
    "SupplierPack",
]
