"""The addresses of the first-run page."""

from django.urls import path

from project.first_run import views

app_name = "first_run"
urlpatterns = [
    path("", views.Start.as_view(), name="start"),
    path("account/", views.AccountPage.as_view(), name="account"),
    path("shop/", views.ShopPage.as_view(), name="shop"),
    path("location/", views.LocationPage.as_view(), name="location"),
    path("menu/", views.MenuPage.as_view(), name="menu"),
    path("menu/sample.csv", views.SampleMenu.as_view(), name="sample"),
    path("stock/", views.StockPage.as_view(), name="stock"),
    path("staff/", views.StaffPage.as_view(), name="staff"),
    path("done/", views.DonePage.as_view(), name="done"),
]
