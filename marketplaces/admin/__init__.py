"""The admin of marketplaces. Each module registers its own."""
