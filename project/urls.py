"""Every address of the shop."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve
from drf_spectacular.views import SpectacularAPIView

from monitoring.measuring.page import metrics_page
from project.docs_view import DocsView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("setup/", include("project.first_run.urls")),
    path("api/v1/", include("project.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(url_name="schema"), name="docs"),
    path("health/", include("monitoring.urls")),
    path("metrics", metrics_page, name="metrics"),
    path("accounts/", include("users.pages.urls")),
    path("", include("orders.pages.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
]

# JSON under /api/, pages elsewhere.
handler400 = "foundation.api.errors.bad_request"
handler403 = "foundation.api.errors.permission_denied"
handler404 = "foundation.api.errors.page_not_found"
handler500 = "foundation.api.errors.failed"
