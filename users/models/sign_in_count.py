"""How often somebody has tried to sign in."""

from django.db import models

from users.choices import CountedBy


class SignInCount(models.Model):
    """The attempts of one address, or for one e-mail or account, in one window of time.

    `key` is the network address, a keyed hash of the e-mail (what strangers type into a sign-in form, now and then
    a password, is nothing to keep), or the account's id.
    """

    pk = models.CompositePrimaryKey("counted_by", "key", "window_start")
    counted_by = models.CharField(max_length=10, choices=CountedBy)
    key = models.CharField(max_length=64)
    window_start = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["window_start"], name="sign_in_count_window")]

    def __str__(self) -> str:
        return f"{self.counted_by} {self.key}: {self.count}"
