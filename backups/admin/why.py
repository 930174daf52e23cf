"""What every verb that changes much asks for: why."""

from django import forms
from django.utils.translation import gettext_lazy as _

from backups.services.requests import LONGEST_REASON
from foundation.admin.verbs import ReasonForm


class WhyForm(ReasonForm):
    """The reason stands in the list of restores, and in the log."""

    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)
