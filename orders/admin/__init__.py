from orders.admin import batch_runs, customers, orders, staff

__all__ = ["batch_runs", "customers", "orders", "staff"]
