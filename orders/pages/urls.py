"""The addresses of the shop's own pages, outside of the admin: `shop:…`."""

from django.urls import include, path

from orders.pages.menu import menu_page
from orders.pages.places import choose_place
from orders.pages.product import ProductPage, product_price

app_name = "shop"
urlpatterns = [
    path("", menu_page, name="menu"),
    path("menu/<int:product_id>/", ProductPage.as_view(), name="product"),
    path("menu/<int:product_id>/price/", product_price, name="price"),
    path("place/", choose_place, name="place"),
    path("counter/", include("orders.pages.counter_urls")),
]
