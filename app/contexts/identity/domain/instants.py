"""Times of RFC 3339, as its grammar has them, as microseconds since 1970: with all its years and leap seconds.

`datetime` has no year 0, no second 60, and takes what is no time of RFC 3339.
"""

import re
from typing import Final

MICROSECONDS: Final = 1_000_000

_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]++))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_S: Final = 86_400
_LEAP_DAYS: Final = ((6, 30), (12, 31))
"""At the end of which days in UTC a second 60 may be."""


def instant(text: str) -> int | None:
    """The time in microseconds since 1970, what is below one cut off; None if the text is none.

    A leap second is the second behind it.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    away_hour, away_minute = int(found[9] or 0), int(found[10] or 0)
    if not 1 <= month <= 12 or not 1 <= day <= _days_of(year, month):
        return None
    if hour > 23 or minute > 59 or second > 60 or away_hour > 23 or away_minute > 59:
        return None
    away_s = (away_hour * 3600 + away_minute * 60) * (-1 if found[8] == "-" else 1)
    at_s = _day_number(year, month, day) * _DAY_S + hour * 3600 + minute * 60 + second - away_s
    if second == 60 and not _is_behind_a_leap_second(at_s):
        return None
    return at_s * MICROSECONDS + int((found[7] or "")[:6].ljust(6, "0"))


def _is_behind_a_leap_second(at_s: int) -> bool:
    """Whether it is the first second of the day behind one that may have had a second 60."""
    number, rest = divmod(at_s, _DAY_S)
    return rest == 0 and any(
        number - 1 == _day_number(year, *day) for year in (_year_of(number) - 1, _year_of(number)) for day in _LEAP_DAYS
    )


def _days_of(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and is_leap else _DAYS[month - 1]


def _day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. Years are counted from March, so that a leap day is their last."""
    years = year - (month <= 2)
    of_the_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return years * 365 + years // 4 - years // 100 + years // 400 + of_the_year - 719_468


def _year_of(number: int) -> int:
    """The year of that day, or the one before or behind it by a day or two at the year's ends."""
    return 1970 + (number * 400) // 146_097
