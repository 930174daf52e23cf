"""The addresses of what watches the shop."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from monitoring.api.alerts import AlertViewSet
from monitoring.api.channels import AlertRuleViewSet, ChannelViewSet, DeliveryViewSet
from monitoring.api.health import HealthView

router = SimpleRouter(use_regex_path=False)
router.register("alerts", AlertViewSet, basename="alert")
router.register("channels", ChannelViewSet, basename="channel")
router.register("alert-rules", AlertRuleViewSet, basename="alert-rule")
router.register("deliveries", DeliveryViewSet, basename="delivery")

urlpatterns = [path("health/", HealthView.as_view(), name="health"), *router.urls]
