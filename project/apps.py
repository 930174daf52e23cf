from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ProjectConfig(AppConfig):
    """The wiring: commands, the admin site, the embedded services."""

    name = "project"


class SamovarAdminConfig(AdminConfig):
    """Makes `django.contrib.admin.site` the shop's own admin site."""

    default_site = "project.admin_site.SamovarAdminSite"
