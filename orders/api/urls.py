"""The addresses of orders and people."""

from rest_framework.routers import SimpleRouter

from orders.api.batches import BatchRunViewSet, BatchViewSet
from orders.api.orders import OrderEventViewSet, OrderViewSet
from orders.api.people import CustomerViewSet, EmployeeViewSet, PositionViewSet
from orders.api.promotions import PromoCodeViewSet, PromotionViewSet

router = SimpleRouter(use_regex_path=False)
router.register("orders/batch", BatchViewSet, basename="order-batch")
router.register("orders/batches", BatchRunViewSet, basename="order-batch-run")
router.register("orders/<int:order_pk>/events", OrderEventViewSet, basename="order-event")
router.register("orders", OrderViewSet, basename="order")
router.register("customers", CustomerViewSet, basename="customer")
router.register("positions", PositionViewSet, basename="position")
router.register("employees", EmployeeViewSet, basename="employee")
router.register("promotions", PromotionViewSet, basename="promotion")
router.register("promo-codes", PromoCodeViewSet, basename="promo-code")

urlpatterns = router.urls
