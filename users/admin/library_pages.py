"""Pages of the libraries that go: roles are declared in code, and what accounts sign in with is on their own pages."""

# Their imports register the pages; only then can they be taken away.
import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group


def take_library_pages_away() -> None:
    """`migrate` would undo what somebody changes in groups; e-mails and second factors change by services alone."""
    for model in (Group, EmailAddress, EmailConfirmation, Authenticator):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
