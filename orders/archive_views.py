"""The views behind `orders.models.every`, for migrations.

A view stands in the way when a column that it shows is changed, and does not show a column that is added. So a
migration that touches an order's columns takes the views away first and makes them anew last:

    operations = [
        migrations.RunPython(drop_views, make_views),
        ...  # AddField and the like, on Order and on ArchivedOrder
        migrations.RunPython(make_views, drop_views),
    ]
"""

from typing import Any

# {the model of the view: the models of the tables that it unites}
UNITED = {
    "EveryOrder": ("Order", "ArchivedOrder"),
    "EveryItem": ("OrderItem", "ArchivedItem"),
    "EveryCancelledItem": ("CancelledItem", "ArchivedCancelledItem"),
    "EveryEvent": ("OrderEvent", "ArchivedEvent"),
}


def make_views(apps: Any, schema_editor: Any) -> None:
    """Makes the views, with the columns that the tables have at this point of the migrations."""
    quote = schema_editor.quote_name
    for view, (live, archived) in UNITED.items():
        rows = apps.get_model("orders", archived)._meta
        columns = ", ".join(quote(field.column) for field in rows.local_concrete_fields)
        # UNION ALL of plain columns and a constant: the planner sees through it to the indexes of both tables.
        schema_editor.execute(
            f"CREATE VIEW {quote(f'orders_{view.lower()}')} AS "  # noqa: S608 (names of the shop's own tables)
            f"SELECT {columns}, false AS is_archived FROM {quote(apps.get_model('orders', live)._meta.db_table)} "
            f"UNION ALL SELECT {columns}, true FROM {quote(rows.db_table)}"
        )


def drop_views(apps: Any, schema_editor: Any) -> None:
    for view in UNITED:
        schema_editor.execute(f"DROP VIEW {schema_editor.quote_name(f'orders_{view.lower()}')}")
