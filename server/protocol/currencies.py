"""The decimals of currencies. api.currency_decimals (sql/21_amount.sql) is the same in the database."""

from decimal import ROUND_HALF_UP, Decimal

# The minor units of ISO 4217, list one, of 2024. All other currencies have two decimals.
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DECIMALS = {
    code: decimals
    for codes, decimals in ((_WITHOUT, 0), ("BHD IQD JOD KWD LYD OMR TND", 3), ("CLF UYW", 4))
    for code in codes.split()
}


def decimals_of(currency: str) -> int:
    """The number of decimals of an amount in a currency, a code of ISO 4217."""
    return _DECIMALS.get(currency, 2)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """An amount with the decimals of its currency, rounded half away from zero."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_UP)
