"""The admin site: the shop's main interface."""

from unfold.sites import UnfoldAdminSite

from users.site import AccountPages


class SamovarAdminSite(AccountPages, UnfoldAdminSite):
    """The admin of the shop, with today's figures on its home page."""
