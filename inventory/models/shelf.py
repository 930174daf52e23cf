"""Where in a location things stand."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Shelf(models.Model):
    """A shelf, a fridge, a drawer: what is counted in one go."""

    location = models.ForeignKey(
        "inventory.Location", on_delete=models.CASCADE, related_name="shelves", verbose_name=_("location")
    )
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("shelf")
        verbose_name_plural = _("shelves")
        ordering = ["location_id", "position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["location", "name"], name="shelf_name_unique_in_location"),
        ]

    def __str__(self) -> str:
        return self.name
