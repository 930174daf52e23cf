"""What somebody may do with the money of an order besides the ordinary: the doors ask, the services are told."""

# To complete an order that is not fully paid: `allow_unpaid` of the services.
COMPLETE_UNPAID = "orders.complete_unpaid"
# To pay back what was paid, also by cancelling: `may_refund` of the services.
REFUND = "orders.add_refund"
