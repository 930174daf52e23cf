import logging

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from orders.phones import e164

PART = 1000


def normalise_phones(apps, schema_editor):
    """Writes telephone numbers in E.164. What is no number stays as it is, until somebody puts it right."""
    Customer = apps.get_model("orders", "Customer")
    Shop = apps.get_model("foundation", "Shop")
    shop = Shop.objects.first()
    region = shop.phone_region if shop else settings.PHONE_REGION
    changed, left = [], 0
    written = Customer.objects.exclude(phone="").order_by("pk").only("pk", "phone")
    for customer in written.iterator(chunk_size=PART):
        number = e164(customer.phone, region)
        if number is None:
            left += 1
        elif number != customer.phone:
            customer.phone = number
            changed.append(customer)
        if len(changed) == PART:
            Customer.objects.bulk_update(changed, ["phone"])
            changed = []
    Customer.objects.bulk_update(changed, ["phone"])
    if left:
        logging.getLogger("orders").warning(
            "%d customers have a phone that is no telephone number. It stays until somebody corrects it.", left
        )


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0007_promotions_keep_their_scope"),
        ("orders", "0007_staff"),
        ("foundation", "0003_shop"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasedPerson",
            fields=[
                ("customer_id", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="customer")),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("erased_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="erased")),
                (
                    "erased_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "erased person",
                "verbose_name_plural": "erased persons",
                "ordering": ["-erased_at"],
                "default_permissions": (),
            },
        ),
        migrations.RunPython(normalise_phones, migrations.RunPython.noop, elidable=True),
    ]
