"""Which customers may be one person: those who share a phone or an e-mail."""

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Upper

from orders.models import Customer


def with_duplicates(customers: QuerySet[Customer], *, has_any: bool = True) -> QuerySet[Customer]:
    """Those whose phone or e-mail another customer has, too; or those of whom there is nothing like it."""
    # Counted once for all: to look for the twins of each would take a shop with many customers minutes.
    known = Customer.objects.current().order_by()
    phones = known.exclude(phone="").values("phone").annotate(n=Count("pk")).filter(n__gt=1).values("phone")
    emails = known.exclude(email="").values(e=Upper("email")).annotate(n=Count("pk")).filter(n__gt=1).values("e")
    customers = customers.alias(upper_email=Upper("email"))
    alike = Q(phone__in=phones) | Q(upper_email__in=emails)
    return customers.filter(alike if has_any else ~alike)


def duplicates_of(customer: Customer) -> QuerySet[Customer]:
    """Other customers with the same phone or e-mail, those that were written down first before the others."""
    alike = Q(pk__in=[])
    if customer.phone:
        alike |= Q(phone=customer.phone)
    if customer.email:
        alike |= Q(email__iexact=customer.email)
    return Customer.objects.current().filter(alike).exclude(pk=customer.pk).order_by("pk")
