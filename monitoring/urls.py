"""Addresses for load balancers and supervisors."""

from django.urls import path

from monitoring import health

urlpatterns = [
    path("live", health.live, name="live"),
    path("ready", health.ready, name="ready"),
]
