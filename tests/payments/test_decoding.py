"""Decoding payment requests, wherever a faster decoder could disagree with the contract."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contexts.payments.adapters.http.body import PAYMENT_BODY, fingerprint
from app.kernel.money import MAX_MINOR
from app.platform.http.errors import Problem

PROVIDER = "2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60"
GOOD = {"provider_id": PROVIDER, "external_reference": "a", "amount": 5, "currency": "USD"}

decode = PAYMENT_BODY.decode

# Everything but control characters, the two separators, and halves of surrogate pairs.
REFERENCES = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029"), min_size=1, max_size=140
)


def raw(**changes: Any) -> bytes:
    """A good body with these changes."""
    return json.dumps(GOOD | changes).encode()


def details(body: bytes) -> dict[str, Any]:
    """What is wrong with the body."""
    with pytest.raises(Problem) as refused:
        decode(body)
    assert refused.value.status == 400
    return refused.value.details


@given(REFERENCES, st.integers(1, MAX_MINOR), st.booleans())
def test_every_good_request_comes_through_whole(reference: str, amount: int, ascii_only: bool) -> None:
    body = json.dumps(GOOD | {"external_reference": reference, "amount": amount}, ensure_ascii=ascii_only)
    order = decode(body.encode())
    assert order.provider_id == UUID(PROVIDER)
    assert order.external_reference == reference
    assert (order.amount, order.currency) == (amount, "USD")


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_refused(body: bytes) -> None:
    assert details(body)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), st.lists, max_leaves=5))
def test_no_other_value_passes_for_an_amount_or_a_provider(value: Any) -> None:
    for member in ("amount", "provider_id"):
        wrong = details(raw(**{member: value}))
        assert wrong.keys() <= {member, "body"}


@given(st.sampled_from(sorted(GOOD)), st.sampled_from([None, "x", 5, "a"]))
def test_a_member_that_is_there_twice_is_refused(member: str, first: Any) -> None:
    twice = f'{{"{member}":{json.dumps(first)},{raw().decode()[1:]}'
    assert "must be there once" in details(twice.encode())[member]
    escaped = twice.replace(f'"{member}"', f'"\\u{ord(member[0]):04x}{member[1:]}"', 1)
    assert "must be there once" in details(escaped.encode())[member]


def test_all_that_is_wrong_is_told_at_once() -> None:
    body = b'{"provider_id":"x","amount":0,"currency":"usd","note":1}'
    assert details(body).keys() == {"provider_id", "external_reference", "amount", "currency", "note"}


def test_quotes_and_backslashes_in_a_reference_are_its_own() -> None:
    for reference in ('"', "\\", '\\"', '","amount":5', "\\u0000"):
        assert decode(raw(external_reference=reference)).external_reference == reference


def test_what_is_told_back_is_short_and_harmless() -> None:
    body = json.dumps(GOOD | {"<\x00\u2028" + "a" * 1000: 1} | {str(n): 1 for n in range(100)}).encode()
    told = details(body)
    assert len(told) <= 20
    assert all(name.isascii() and len(name) < 500 for name in told)


def test_requests_differ_in_their_fingerprint_when_they_differ_in_anything() -> None:
    bodies = [
        raw(),
        raw(provider_id=PROVIDER.replace("2", "3")),
        raw(amount=51),
        raw(currency="EUR"),
        raw(external_reference="a "),
        raw(external_reference="5USDa"),
    ]
    assert len({fingerprint(decode(body)) for body in bodies}) == len(bodies)
