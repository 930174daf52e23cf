"""The API root: the addresses that each app brings."""

from django.urls import include, path

urlpatterns = [
    path("auth/", include("users.api.auth_urls")),
    path("users/", include("users.api.urls")),
    path("", include("inventory.api.urls")),
    path("", include("orders.api.urls")),
    path("", include("backups.api.urls")),
    path("", include("monitoring.api.urls")),
    path("marketplaces/", include("marketplaces.api.urls")),
]
