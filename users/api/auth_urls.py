"""auth/…"""

from django.urls import path

from users.api.views import LogoutView, TokenView

urlpatterns = [
    path("token/", TokenView.as_view(), name="auth-token"),
    path("logout/", LogoutView.as_view(), name="auth-logout"),
]
