"""What each role may do with the mechanisms. See users/roles.py."""

ROLES = {"admin": ["foundation.view_shop", "foundation.change_shop"]}
