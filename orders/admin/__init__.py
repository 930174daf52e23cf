from orders.admin import archived, batch_runs, customers, orders, promo_codes, promotions, sales_imports, staff

__all__ = ["archived", "batch_runs", "customers", "orders", "promo_codes", "promotions", "sales_imports", "staff"]
