"""The accounts that the shop had before people signed up by themselves were made by staff: they count as confirmed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("users", "0002_accounts_with_allauth")]

    operations = [
        migrations.RunSQL(
            """
            INSERT INTO account_emailaddress (user_id, email, verified, "primary")
            SELECT id, email, true, true FROM users_user
            WHERE NOT EXISTS (SELECT FROM account_emailaddress WHERE account_emailaddress.user_id = users_user.id)
            """,
            migrations.RunSQL.noop,
        ),
    ]
