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
        "inventory.view_stocklot",
        "inventory.view_preparation",
        "inventory.add_preparation",
        "inventory.change_preparation",
        "inventory.view_preparationrecipe",
        "inventory.view_preparationrecipeline",
        "inventory.receive_stock",
        "inventory.write_off_stock",
        "inventory.transfer_stock",
        # Whoever has the cup in their hand knows better than the ledger.
        "inventory.sell_anyway",
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
                "preparationrecipe",
                "preparationrecipeline",
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
        "inventory.change_stocklot",
        "inventory.sell_below_minimum",
    ],
    "admin": ["inventory.delete_location"],
}
