"""The world's currencies (ISO 4217) in which a shop can sell, and their decimals."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WITH_TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE
CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW
KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
# The columns of money hold two decimals: amounts of these would lose their third.
WITH_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

NO_DECIMALS = frozenset(WITHOUT_DECIMALS.split())
THREE_DECIMALS = frozenset(WITH_THREE_DECIMALS.split())
CURRENCIES = tuple(sorted(NO_DECIMALS | set(WITH_TWO_DECIMALS.split())))


def decimals_of(currency: str) -> int:
    """How many decimals the smallest amount of a currency has."""
    return 0 if currency in NO_DECIMALS else 2


def check_currency(code: str) -> None:
    """Refuses what is no currency, and one that the shop's columns can't hold."""
    if code in THREE_DECIMALS:
        raise ValidationError(
            _("Amounts in %(code)s have three decimals, and the shop counts with two. Choose another currency."),
            params={"code": code},
        )
    if code not in CURRENCIES:
        raise ValidationError(
            _("“%(code)s” is not a currency. Use its three letters, for example EUR or THB."), params={"code": code}
        )
