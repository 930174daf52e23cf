"""The addresses of the shop's own pages, outside of the admin: `shop:…`."""

from django.urls import include, path

app_name = "shop"
urlpatterns = [
    path("counter/", include("orders.pages.counter_urls")),
]
