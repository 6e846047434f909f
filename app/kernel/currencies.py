"""Which currencies there are.

Which are known may change from one day to the next, with ISO 4217 and with the settings. It decides about new money
only: what is recorded in a currency is read, paid and paid back whether it is known or not.
"""

import re
from collections.abc import Container

_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
    CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR
    LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
    PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR
    ZMW ZWG
"""

ISO_4217 = frozenset(_CODES.split())
"""The active alphabetic codes of ISO 4217 for money; metals, units of account and test codes are not money."""

_OTHER_DIGITS = """
    BIF 0 CLP 0 DJF 0 GNF 0 ISK 0 JPY 0 KMF 0 KRW 0 PYG 0 RWF 0 UGX 0 UYI 0 VND 0 VUV 0 XAF 0 XOF 0 XPF 0
    BHD 3 IQD 3 JOD 3 KWD 3 LYD 3 OMR 3 TND 3 CLF 4 UYW 4
"""
_DIGITS = {code: int(digits) for code, digits in re.findall("([A-Z]+) ([0-9])", _OTHER_DIGITS)}
"""ISO 4217's, of those that have not two."""

_FORM = re.compile("[A-Z]{3,5}")


def is_well_formed(code: str) -> bool:
    """Whether the code could be a currency's: three to five capital letters."""
    return _FORM.fullmatch(code) is not None


def is_known(code: str, extra: Container[str] = ()) -> bool:
    """Whether the code is a currency of ISO 4217, or one of `extra`."""
    return code in ISO_4217 or code in extra


def minor_digits(code: str) -> int:
    """How many digits of a unit of the currency its minor units are: 2 of a dollar's. Codes of one's own have two."""
    return _DIGITS.get(code, 2)
