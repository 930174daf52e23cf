"""The addresses of the counter, below the shop's own: `shop:counter` and what its page asks."""

from django.urls import path, re_path

from orders.pages.counter import CounterPage
from orders.pages.counter_prints import LabelsPage, ReceiptPage
from orders.pages.counter_queue import AdvancePage, PayPage, QueuePage
from orders.pages.counter_sale import CounterMenuPage, CounterQuotePage, FindCustomersPage, SellPage
from orders.pages.counter_till import (
    CloseShiftPage,
    LockPage,
    MoveCashPage,
    OpenShiftPage,
    SellerPage,
    ShiftPage,
    TillPage,
)

# What a column of ids holds, and no more digits.
ORDER = r"^orders/(?P<order_id>[0-9]{1,18})/"

urlpatterns = [
    path("", CounterPage.as_view(), name="counter"),
    path("queue/", QueuePage.as_view(), name="counter_queue"),
    path("menu/", CounterMenuPage.as_view(), name="counter_menu"),
    path("quote/", CounterQuotePage.as_view(), name="counter_quote"),
    path("sell/", SellPage.as_view(), name="counter_sell"),
    path("customers/", FindCustomersPage.as_view(), name="counter_customers"),
    path("till/", TillPage.as_view(), name="counter_till"),
    path("shift/", ShiftPage.as_view(), name="counter_shift"),
    path("shift/open/", OpenShiftPage.as_view(), name="counter_open_shift"),
    path("shift/close/", CloseShiftPage.as_view(), name="counter_close_shift"),
    path("shift/cash/", MoveCashPage.as_view(), name="counter_move_cash"),
    path("seller/", SellerPage.as_view(), name="counter_seller"),
    path("seller/lock/", LockPage.as_view(), name="counter_lock"),
    re_path(rf"{ORDER}(?P<verb>prepare|ready|complete)/$", AdvancePage.as_view(), name="counter_advance"),
    re_path(rf"{ORDER}pay/$", PayPage.as_view(), name="counter_pay"),
    re_path(rf"{ORDER}labels/$", LabelsPage.as_view(), name="counter_labels"),
    re_path(rf"{ORDER}receipt/$", ReceiptPage.as_view(), name="counter_receipt"),
]
