"""What each role may do with orders and people."""

ROLES = {
    "customer": ["orders.place_own_order"],
    "barista": [
        "orders.view_order",
        "orders.add_order",
        "orders.change_order",
        "orders.advance_order",
        "orders.cancel_order",
        "orders.view_orderitem",
        "orders.view_orderevent",
        "orders.view_cancelleditem",
        "orders.view_batchrun",
        "orders.view_customer",
        "orders.add_customer",
        "orders.change_customer",
        "orders.view_employee",
        "orders.view_position",
    ],
    "manager": [
        "orders.add_employee",
        "orders.change_employee",
        "orders.add_position",
        "orders.change_position",
        "orders.delete_position",
        "orders.view_salesimport",
        "orders.import_sales",
    ],
    "admin": [],
}
