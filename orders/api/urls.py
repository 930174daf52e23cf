"""The addresses of orders and people."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from orders.api.batches import BatchRunViewSet, BatchViewSet
from orders.api.customers import CustomerViewSet
from orders.api.employees import EmployeeViewSet, PositionViewSet
from orders.api.loyalty import LoyaltyEntryViewSet, LoyaltyProgramViewSet, LoyaltyTierViewSet
from orders.api.orders import OrderEventViewSet, OrderViewSet
from orders.api.pay import PayrollViewSet, SalaryViewSet
from orders.api.payments import PaymentViewSet, RefundViewSet
from orders.api.promotions import PromoCodeViewSet, PromotionViewSet
from orders.api.shifts import ShiftViewSet

router = SimpleRouter(use_regex_path=False)
router.register("orders/batch", BatchViewSet, basename="order-batch")
router.register("orders/batches", BatchRunViewSet, basename="order-batch-run")
router.register("orders/<int:order_pk>/events", OrderEventViewSet, basename="order-event")
router.register("orders", OrderViewSet, basename="order")
router.register("customers", CustomerViewSet, basename="customer")
router.register("customers/<int:customer_pk>/loyalty", LoyaltyEntryViewSet, basename="customer-loyalty")
router.register("loyalty/tiers", LoyaltyTierViewSet, basename="loyalty-tier")
router.register("positions", PositionViewSet, basename="position")
router.register("employees", EmployeeViewSet, basename="employee")
router.register("salaries", SalaryViewSet, basename="salary")
router.register("payrolls", PayrollViewSet, basename="payroll")
router.register("promotions", PromotionViewSet, basename="promotion")
router.register("promo-codes", PromoCodeViewSet, basename="promo-code")
router.register("payments", PaymentViewSet, basename="payment")
router.register("refunds", RefundViewSet, basename="refund")
router.register("shifts", ShiftViewSet, basename="shift")

urlpatterns = [
    path("loyalty/program/", LoyaltyProgramViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    *router.urls,
]
