"""What marketplaces want watched."""


def register() -> None:
    """Tells monitoring about marketplaces. Called once, when the apps are ready."""
