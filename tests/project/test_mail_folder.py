"""Where mails go when the shop runs on one's own machine without a mail server."""

from pathlib import Path

import environ
from django.test import Client

from project.embedded.environment import mail_variables
from project.embedded.places import Places


def test_mails_become_files_unless_a_mail_server_is_given(tmp_path: Path) -> None:
    folder = Places(tmp_path / "my shop").mail

    made = mail_variables(folder, {})
    given = mail_variables(folder, {"EMAIL_URL": "smtp://mail.example:25"})

    assert made == {"EMAIL_URL": f"filemail://{tmp_path}/my%20shop/mail"}
    assert environ.Env.email_url_config(made["EMAIL_URL"])["EMAIL_BACKEND"].endswith("filebased.EmailBackend")
    assert given == {}


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    places = Places(tmp_path / "var")

    places.make()

    assert places.mail.stat().st_mode & 0o777 == 0o700


def test_the_pages_say_where_mails_are_only_where_they_are_files(db: None, client: Client, settings) -> None:
    pages = ("/accounts/confirm-email/", "/accounts/password/reset/done/")
    for folder, is_said in (("/srv/shop/var/mail", True), (None, False)):
        settings.EMAIL_FILE_PATH = folder
        assert [("its mails are files in" in client.get(page).content.decode()) for page in pages] == [is_said] * 2
