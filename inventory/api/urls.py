"""The addresses of the catalogue and the store room."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from inventory.api.counts import StockCountViewSet
from inventory.api.documents import StockDocumentViewSet, StockMovementViewSet
from inventory.api.lots import StockLotViewSet, WriteOffsView
from inventory.api.option_groups import OptionGroupViewSet
from inventory.api.pictures import ProductPictureView
from inventory.api.preparations import PreparationRecipeViewSet, PreparationViewSet
from inventory.api.products import ProductViewSet
from inventory.api.purchase_orders import PurchaseOrderViewSet
from inventory.api.records import CategoryViewSet, IngredientViewSet, LocationViewSet
from inventory.api.shelves import ShelfViewSet
from inventory.api.stock import StockViewSet
from inventory.api.suppliers import SupplierViewSet
from inventory.api.valuation import ValuationView

router = SimpleRouter(use_regex_path=False)
router.register("locations", LocationViewSet, basename="location")
router.register("categories", CategoryViewSet, basename="category")
router.register("products", ProductViewSet, basename="product")
router.register("option-groups", OptionGroupViewSet, basename="option-group")
router.register("ingredients", IngredientViewSet, basename="ingredient")
router.register("stock", StockViewSet, basename="stock")
router.register("stock-movements", StockMovementViewSet, basename="stock-movement")
router.register("stock-documents", StockDocumentViewSet, basename="stock-document")
router.register("stock-counts", StockCountViewSet, basename="stock-count")
router.register("shelves", ShelfViewSet, basename="shelf")
router.register("stock-lots", StockLotViewSet, basename="stock-lot")
router.register("preparations", PreparationViewSet, basename="preparation")
router.register("preparation-recipes", PreparationRecipeViewSet, basename="preparation-recipe")
router.register("suppliers", SupplierViewSet, basename="supplier")
router.register("purchase-orders", PurchaseOrderViewSet, basename="purchase-order")

urlpatterns = [
    path("write-offs/", WriteOffsView.as_view(), name="write-offs"),
    path("stock/valuation/", ValuationView.as_view(), name="stock-valuation"),
    path("products/<int:pk>/image/", ProductPictureView.as_view(), name="product-image"),
    *router.urls,
]
