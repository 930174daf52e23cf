"""The admin site: the shop's main interface."""

from unfold.sites import UnfoldAdminSite


class SamovarAdminSite(UnfoldAdminSite):
    """The admin of the shop, with today's figures on its home page."""
