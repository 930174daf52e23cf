"""The API root: each app registers its own routes here."""

from django.urls import include, path
from rest_framework.routers import DefaultRouter

router = DefaultRouter()
router.include_root_view = False

urlpatterns = [
    path("auth/", include("users.api.auth_urls")),
    path("users/", include("users.api.urls")),
    *router.urls,
]
