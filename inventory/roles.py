"""What each role may do in the catalogue and the store room."""

ROLES = {
    "customer": [
        "inventory.view_location",
        "inventory.view_category",
        "inventory.view_product",
        "inventory.view_optiongroup",
    ],
    "barista": [
        "inventory.view_location",
        "inventory.view_category",
        "inventory.view_product",
        "inventory.view_productoptiongroup",
        "inventory.view_optiongroup",
        "inventory.view_option",
        "inventory.view_optioneffect",
        "inventory.view_ingredient",
        "inventory.view_recipeline",
        "inventory.view_stocklevel",
        "inventory.view_stockmovement",
        "inventory.view_stockdocument",
        "inventory.receive_stock",
        "inventory.write_off_stock",
        "inventory.transfer_stock",
    ],
    "manager": [
        *(
            f"inventory.{verb}_{model}"
            for model in (
                "category",
                "product",
                "productoptiongroup",
                "optiongroup",
                "option",
                "optioneffect",
                "ingredient",
                "recipeline",
            )
            for verb in ("add", "change", "delete")
        ),
        "inventory.add_location",
        "inventory.change_location",
        "inventory.add_defaultlocation",
        "inventory.change_defaultlocation",
        "inventory.delete_defaultlocation",
        "inventory.view_defaultlocation",
        "inventory.change_stocklevel",
        "inventory.sell_below_minimum",
    ],
    "admin": ["inventory.delete_location"],
}
