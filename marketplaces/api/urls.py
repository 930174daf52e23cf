"""The addresses of marketplaces."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from marketplaces.api.accounts import AccountTestView, AccountViewSet
from marketplaces.api.connect import AccountConnectView
from marketplaces.api.mirrored_orders import MirroredOrderViewSet
from marketplaces.api.mirrored_stock import MarketplaceStockViewSet
from marketplaces.api.sync_runs import SyncRunViewSet

router = SimpleRouter(use_regex_path=False)
router.register("accounts", AccountViewSet, basename="marketplace-account")
router.register("orders", MirroredOrderViewSet, basename="marketplace-order")
router.register("stock", MarketplaceStockViewSet, basename="marketplace-stock")
router.register("sync-runs", SyncRunViewSet, basename="marketplace-sync-run")

urlpatterns = [
    path("accounts/<uuid:pk>/connect/", AccountConnectView.as_view(), name="marketplace-account-connect"),
    path("accounts/<uuid:pk>/test/", AccountTestView.as_view(), name="marketplace-account-test"),
    *router.urls,
]
