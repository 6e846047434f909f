"""Times of RFC 3339."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contexts.identity.domain.instants import instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(timezones=st.timezones()))
def test_it_is_the_time_that_the_standard_library_reads(at: datetime) -> None:
    offset = at.utcoffset()
    if offset is None or offset % timedelta(minutes=1) or abs(offset) >= timedelta(days=1):
        at = at.replace(tzinfo=UTC)
    try:
        expected = (at.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        return
    assert instant(at.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T13:30:00+01:30", "2026-01-31T12:00:00Z"),
        ("2026-01-30T12:01:00-23:59", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.0000009Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500000Z"),
        ("2026-01-31T12:00:00." + "0" * 10_000 + "Z", "2026-01-31T12:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-06-30T23:59:60.5Z", "2016-07-01T00:00:00.5Z"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"),
        ("2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00Z"),
    ],
)
def test_the_same_time_may_be_written_in_several_ways(text: str, same: str) -> None:
    assert instant(text) is not None
    assert instant(text) == instant(same)


@pytest.mark.parametrize("text", ["0000-01-01T00:00:00Z", "0000-02-29T00:00:00Z", "9999-12-31T23:59:59-23:59"])
def test_years_that_python_does_not_know_are_years(text: str) -> None:
    at = instant(text)
    assert at is not None
    assert not 0 < at < 2**47


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00,5Z",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:60Z",
        "2026-12-31T23:59:61Z",
        "2026-03-31T23:59:60Z",
        "2026-12-31T23:59:60+01:00",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00 Z",
        "2026-01-31T12:00:00Z ",
        "2026-01-31T12:00:00Z\n",
        "+2026-01-31T12:00:00Z",
        "12026-01-31T12:00:00Z",
        "２026-01-31T12:00:00Z",
        "Sat Jan 31 2026 12:00:00 GMT",
    ],
)
def test_what_is_no_time_of_the_rfc_is_none(text: str) -> None:
    assert instant(text) is None
