"""What each role may do with marketplaces."""

ROLES = {
    "manager": [
        "marketplaces.view_selleraccount",
        "marketplaces.sync_selleraccount",
        "marketplaces.stop_pushes",
        "marketplaces.view_marketplaceswitch",
        "marketplaces.view_credentialevent",
        "marketplaces.view_listing",
        "marketplaces.add_listing",
        "marketplaces.change_listing",
        "marketplaces.delete_listing",
        "marketplaces.view_marketplaceorder",
        "marketplaces.view_marketplacestock",
        "marketplaces.view_syncrun",
        "marketplaces.view_stockoperation",
        "marketplaces.cancel_stockoperation",
        "marketplaces.retry_stockoperation",
        "marketplaces.view_operationlog",
        "marketplaces.view_apigate",
    ],
    "admin": [
        "marketplaces.add_selleraccount",
        "marketplaces.change_selleraccount",
        "marketplaces.delete_selleraccount",
        "marketplaces.connect_selleraccount",
    ],
}
