from orders.admin import batch_runs, customers, orders, sales_imports, staff

__all__ = ["batch_runs", "customers", "orders", "sales_imports", "staff"]
