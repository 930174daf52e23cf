"""What is posted to the admin's doors: each is accepted from those who may send it."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.project.admin_doors import Body, Keys, lines

PASSWORD = "Kettle-on-the-boil-42"


def order(it: Keys) -> dict[str, Any]:
    return {"items": [{"product": it["latte"], "quantity": 1, "options": []}], "location": it["main_street"]}


def new_order(it: Keys) -> dict[str, Any]:
    return {**order(it), "once": "0" * 32}


def stock(it: Keys, **more: Any) -> dict[str, Any]:
    return {**lines("lines", {"ingredient": it["milk"], "quantity": "5"}), "location": it["main_street"], **more}


def sales(it: Keys) -> dict[str, Any]:
    file = SimpleUploadedFile("till.csv", b"Date,Time,Transaction,Item\n2017-05-02,10:00,1,Tea\n")
    return {"file": file, "location": it["main_street"], "till": "", "date_format": ""}


def batch(it: Keys) -> dict[str, Any]:
    return {"location": it["main_street"], "ingredient": it["cream"], "batches": "1"}


def preparation_recipe(it: Keys) -> dict[str, Any]:
    line = {"ingredient": it["sugar"], "quantity": "5"}
    return {"ingredient": it["spare_ingredient"], "yield_quantity": "5", **lines("lines", line)}


def product(it: Keys) -> dict[str, Any]:
    inlines = {**lines("recipe_lines"), **lines("group_links")}
    return {"name": "Mocha", "category": it["category"], "price": "80.00", "position": "1", **inlines}


def group(it: Keys) -> dict[str, Any]:
    numbers = {"min_choices": "0", "max_choices": "2", "free_choices": "0", "position": "1"}
    return {"name": "Ice", **numbers, **lines("options")}


def location(it: Keys) -> dict[str, Any]:
    return {"name": "Harbour", "time_zone": "Asia/Bangkok", "day_starts_at": "00:00", **lines("default_for")}


def shelf(it: Keys) -> dict[str, Any]:
    return {"name": "Cellar", "location": it["main_street"], "ingredients": [it["milk"]]}


def employee(it: Keys) -> dict[str, Any]:
    return {"name": "Olga", "position": it["position"], "location": it["main_street"], "hired_on": "2026-02-01"}


def points_given(it: Keys) -> dict[str, Any]:
    return {"adjust-points": "5", "adjust-reason": "a spilt cup"}


def programme(it: Keys) -> dict[str, Any]:
    return {"is_active": "on", "point_value": "0.50", "points_days": "100", "adjustment_limit": "30"}


def tier(it: Keys) -> dict[str, Any]:
    return {"name": "Silver", "spending_from": "1000.00", "points_per_hundred": "7.00"}


def promotion(it: Keys) -> dict[str, Any]:
    return {"name": "Rush hour", "kind": "percent", "value": "15", "every": "1", "weekdays": ["1"], "is_active": "on"}


def promo_code(it: Keys) -> dict[str, Any]:
    return {"code": "spring", "kind": "percent", "value": "15", "minimum_total": "0", "is_active": "on"}


def promo_codes(it: Keys) -> dict[str, Any]:
    return {"begins_with": "SPRING", "number": "3", "kind": "percent", "value": "15"}


def account(it: Keys) -> dict[str, Any]:
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    return {"email": "new@shop.example", "name": "Nina", "role": "manager", "is_active": "on", **passwords}


def own_password(it: Keys) -> dict[str, Any]:
    return {"old_password": "correct horse battery", "new_password1": PASSWORD, "new_password2": PASSWORD}


def rows_of_list(key: str, field: str) -> Body:
    """What the list posts when one of its cells has been typed in."""

    def body(it: Keys) -> dict[str, Any]:
        return {"_save": "1", **lines("form", {"id": it[key], field: "77"}), "form-INITIAL_FORMS": 1}

    return body


def shop_settings(it: Keys) -> dict[str, Any]:
    return {"name": "Tea & Co", "currency": "THB", "time_zone": "Europe/Warsaw", "phone_region": "PL"}
