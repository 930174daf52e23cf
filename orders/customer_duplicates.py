"""Which customers may be one person: those who share a phone or an e-mail."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Upper

from orders.models import Customer


def with_duplicates(customers: QuerySet[Customer], *, has_any: bool = True) -> QuerySet[Customer]:
    """Those whose phone or e-mail another customer has, too; or those of whom there is nothing like it."""
    others = Customer.objects.current().exclude(pk=OuterRef("pk")).order_by()
    same_phone = Exists(others.filter(phone=OuterRef("phone")))
    same_email = Exists(others.alias(upper=Upper("email")).filter(upper=Upper(OuterRef("email"))))
    alike = (~Q(phone="") & Q(same_phone)) | (~Q(email="") & Q(same_email))
    return customers.filter(alike if has_any else ~alike)


def duplicates_of(customer: Customer) -> QuerySet[Customer]:
    """Other customers with the same phone or e-mail, those that were written down first before the others."""
    alike = Q(pk__in=[])
    if customer.phone:
        alike |= Q(phone=customer.phone)
    if customer.email:
        alike |= Q(email__iexact=customer.email)
    return Customer.objects.current().filter(alike).exclude(pk=customer.pk).order_by("pk")
