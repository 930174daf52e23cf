"""accounts/…: only the pages that the shop needs, under the names by which allauth knows them."""

from django.urls import path, re_path

from users.pages import email, entrance, passwords, second_factor

urlpatterns = [
    path("login/", entrance.SignInPage.as_view(), name="account_login"),
    path("logout/", entrance.SignOutPage.as_view(), name="account_logout"),
    path("signup/", entrance.SignUpPage.as_view(), name="account_signup"),
    path("confirm-email/", entrance.CheckYourMailPage.as_view(), name="account_email_verification_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", entrance.ConfirmEmailPage.as_view(), name="account_confirm_email"),
    path("email/", email.ChangeEmailPage.as_view(), name="account_email"),
    path("reauthenticate/", passwords.GivePasswordPage.as_view(), name="account_reauthenticate"),
    path("password/change/", passwords.ChangePasswordPage.as_view(), name="account_change_password"),
    path("password/reset/", passwords.ForgottenPasswordPage.as_view(), name="account_reset_password"),
    path("password/reset/done/", passwords.LinkIsSentPage.as_view(), name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        passwords.PasswordIsChosenPage.as_view(),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        passwords.ChoosePasswordPage.as_view(),
        name="account_reset_password_from_key",
    ),
    path("2fa/", second_factor.SecondFactorPage.as_view(), name="mfa_index"),
    path("2fa/authenticate/", second_factor.GiveCodePage.as_view(), name="mfa_authenticate"),
    path("2fa/reauthenticate/", second_factor.GiveCodeAgainPage.as_view(), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", second_factor.TurnOnPage.as_view(), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", second_factor.TurnOffPage.as_view(), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", second_factor.RecoveryCodesPage.as_view(), name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/generate/",
        second_factor.RenewRecoveryCodesPage.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path("2fa/recovery-codes/download/", second_factor.RecoveryCodesFile.as_view(), name="mfa_download_recovery_codes"),
]
