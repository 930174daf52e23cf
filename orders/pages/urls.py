"""The addresses of the shop's own pages, outside of the admin: `shop:…`."""

from django.urls import include, path

from orders.pages.cart import CartPage
from orders.pages.checkout import place_order_page
from orders.pages.menu import menu_page
from orders.pages.places import choose_place
from orders.pages.product import ProductPage, product_price
from orders.pages.profile import ProfilePage, active_orders_part, order_page, points_page

app_name = "shop"
urlpatterns = [
    path("", menu_page, name="menu"),
    path("menu/<int:product_id>/", ProductPage.as_view(), name="product"),
    path("menu/<int:product_id>/price/", product_price, name="price"),
    path("cart/", CartPage.as_view(), name="cart"),
    path("cart/order/", place_order_page, name="checkout"),
    path("profile/", ProfilePage.as_view(), name="profile"),
    path("profile/active/", active_orders_part, name="active_orders"),
    path("profile/points/", points_page, name="points"),
    path("profile/orders/<int:number>/", order_page, name="order"),
    path("place/", choose_place, name="place"),
    path("counter/", include("orders.pages.counter_urls")),
]
