"""Where the shop sells and keeps its stock."""

import datetime
import zoneinfo

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from foundation.time_zones import check_time_zone


class Location(models.Model):
    """A shop or a warehouse. Stock and orders belong to one; a closed one (not active) takes neither."""

    class TellsReady(models.TextChoices):
        """How customers who agree to messages hear that their order is ready."""

        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")
        SMS_OR_EMAIL = "any", _("SMS, or e-mail to who gave no phone")

    name = models.CharField(_("name"), max_length=100, unique=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[check_time_zone],
        help_text=_("For example Asia/Bangkok."),
    )
    day_starts_at = models.TimeField(
        _("day starts at"),
        default=datetime.time(0, 0),
        help_text=_("A shop that closes at two in the morning counts those sales to the day before: set 04:00."),
    )
    report_at = models.TimeField(
        _("daily report at"),
        null=True,
        blank=True,
        help_text=_(
            "By the clocks there; empty for none. In the first half of its day it tells of the day before, "
            "in the second half of the day itself."
        ),
    )
    tells_ready = models.CharField(
        _("tells customers that their order is ready"),
        max_length=5,
        choices=TellsReady,
        blank=True,
        help_text=_("Only those who agree to messages. SMS needs a channel for messages to customers."),
    )
    is_active = models.BooleanField(
        _("open"), default=True, help_text=_("A closed location takes no orders and no stock.")
    )

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def day_of(self, moment: datetime.datetime) -> datetime.date:
        """The location's day that `moment` (aware) belongs to."""
        day = moment.astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()
        # The bounds decide and not the clock on the wall, which shows some times twice or never.
        start, end = self.day_bounds(day)
        if moment < start:
            return day - datetime.timedelta(days=1)
        return day if moment < end else day + datetime.timedelta(days=1)

    def day_bounds(self, day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
        """The first moment of the location's `day` and the first one after it, in UTC."""
        zone = zoneinfo.ZoneInfo(self.time_zone)
        start, end = (
            datetime.datetime.combine(date, self.day_starts_at, tzinfo=zone).astimezone(datetime.UTC)
            for date in (day, day + datetime.timedelta(days=1))
        )
        return start, end

    def today(self, at: datetime.datetime | None = None) -> datetime.date:
        """The location's current day, or the one at the moment `at`."""
        return self.day_of(at or timezone.now())


class DefaultLocation(models.Model):
    """Where a user works: requests that name no location mean this one."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="default_location", verbose_name=_("user")
    )
    location = models.ForeignKey(
        Location, on_delete=models.CASCADE, related_name="default_for", verbose_name=_("location")
    )

    class Meta:
        verbose_name = _("default location")
        verbose_name_plural = _("default locations")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.user}: {self.location}"
