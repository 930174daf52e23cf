"""The addresses of marketplaces."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from marketplaces.api.accounts import AccountTestView, AccountViewSet
from marketplaces.api.connect import AccountConnectView
from marketplaces.api.health import HealthView
from marketplaces.api.listings import ListingViewSet
from marketplaces.api.mirrored_orders import MirroredOrderViewSet
from marketplaces.api.mirrored_stock import MarketplaceStockViewSet
from marketplaces.api.operations import OperationBatchViewSet, OperationLogViewSet, OperationViewSet
from marketplaces.api.switch import SwitchView
from marketplaces.api.sync_runs import SyncRunViewSet

router = SimpleRouter(use_regex_path=False)
router.register("accounts", AccountViewSet, basename="marketplace-account")
router.register("listings", ListingViewSet, basename="marketplace-listing")
router.register("orders", MirroredOrderViewSet, basename="marketplace-order")
router.register("stock", MarketplaceStockViewSet, basename="marketplace-stock")
# Before the operations themselves: "batch" is no id of one.
router.register("operations/batch", OperationBatchViewSet, basename="marketplace-operation-batch")
router.register("operations/<uuid:operation_pk>/log", OperationLogViewSet, basename="marketplace-operation-log")
router.register("operations", OperationViewSet, basename="marketplace-operation")
router.register("sync-runs", SyncRunViewSet, basename="marketplace-sync-run")

urlpatterns = [
    path("accounts/<uuid:pk>/connect/", AccountConnectView.as_view(), name="marketplace-account-connect"),
    path("accounts/<uuid:pk>/test/", AccountTestView.as_view(), name="marketplace-account-test"),
    path("health/", HealthView.as_view(), name="marketplace-health"),
    path("switch/", SwitchView.as_view(), name="marketplace-switch"),
    *router.urls,
]
