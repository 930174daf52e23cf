from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("People")

    def ready(self) -> None:
        # Models may only be imported once all apps are there.
        from allauth.mfa.models import Authenticator  # noqa: PLC0415

        from foundation.services.rotation import register_encrypted_json  # noqa: PLC0415
        from users import watch  # noqa: PLC0415
        from users.roles import sync_roles_after_migrate  # noqa: PLC0415

        post_migrate.connect(sync_roles_after_migrate, dispatch_uid="users.roles")
        watch.register()
        # The secrets of sign-in codes: see users.pages.adapters.SecondFactorAdapter.
        register_encrypted_json(Authenticator, "data")
