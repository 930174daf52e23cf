from orders.admin import archived, batch_runs, customers, orders, sales_imports, staff

__all__ = ["archived", "batch_runs", "customers", "orders", "sales_imports", "staff"]
