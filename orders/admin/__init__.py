from orders.admin import (
    archived,
    batch_runs,
    customers,
    orders,
    payrolls,
    promo_codes,
    promotions,
    salaries,
    sales_imports,
    staff,
)

__all__ = [
    "archived",
    "batch_runs",
    "customers",
    "orders",
    "payrolls",
    "promo_codes",
    "promotions",
    "salaries",
    "sales_imports",
    "staff",
]
