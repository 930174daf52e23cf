"""The API's description and the page to try it on, for whoever has signed in."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import resolve_url
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.exceptions import NotAuthenticated


class DocsView(SpectacularSwaggerView):
    """Swagger UI from the project's own files. It sends a person who has not signed in to the sign-in page."""

    # A page has nothing to answer to OPTIONS.
    http_method_names = ["get", "head"]

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated):
            return redirect_to_login(self.request.get_full_path(), resolve_url(settings.LOGIN_URL))
        return super().handle_exception(exc)
