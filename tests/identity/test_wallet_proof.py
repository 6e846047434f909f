"""What a message has to say to be for us, and of now; what fails first names the reason."""

import pytest

from app.contexts.identity.domain.wallet_proof import Reason, Terms, WalletNotProved, check
from tests.identity.wallets import DOMAIN, NOW, at, message_text, read

TERMS = Terms((DOMAIN, "shop.example:8443", "[::1]:8080"), ("1", "137"), 300)
NOW_US = int(NOW.timestamp()) * 1_000_000


def reason(text: str) -> Reason | None:
    """Why the message proves nothing, if it does not."""
    try:
        check(read(text), TERMS, NOW_US)
    except WalletNotProved as refusal:
        return refusal.reason
    return None


@pytest.mark.parametrize("domain", TERMS.domains)
@pytest.mark.parametrize("uri", ["https://{}", "http://{}/", "https://{}/a?b#c", "HTTPS://{}/a%20b"])
def test_a_message_at_a_domain_of_ours_is_for_us_whatever_its_path(domain: str, uri: str) -> None:
    assert reason(message_text(domain=domain, uri=uri.format(domain))) is None


@pytest.mark.parametrize(
    "domain",
    [
        "other.example",
        "shop.example:443",
        "shop.example:",
        "SHOP.example",
        "shop.example.",
        "www.shop.example",
        "user@shop.example",
        "xshop.example",
        "shop.example.other.example",
        "shop.exampl%65",
        "127.0.0.1",
    ],
)
def test_a_domain_is_one_of_ours_to_the_letter(domain: str) -> None:
    assert reason(message_text(domain=domain)) is Reason.DOMAIN


@pytest.mark.parametrize(
    "uri",
    [
        "https://other.example",
        "https://shop.example:8443",
        "https://shop.example:443",
        "https://shop.example@other.example",
        "https://user@shop.example",
        "https://SHOP.example",
        "https:shop.example",
        "https:///shop.example",
        "ftp://shop.example",
        "wss://shop.example",
        "javascript://shop.example/%0aalert(1)",
        "urn:shop.example",
        "https://",
    ],
)
def test_the_uri_is_of_the_same_domain_by_http_or_https(uri: str) -> None:
    assert reason(message_text(uri=uri)) is Reason.URI


@pytest.mark.parametrize("version", ["2", "0", "01", "11"])
def test_the_version_is_one(version: str) -> None:
    assert reason(message_text(version=version)) is Reason.VERSION


@pytest.mark.parametrize("chain_id", ["2", "0", "10", "1337", "9" * 5000])
def test_the_chain_is_one_of_ours(chain_id: str) -> None:
    assert reason(message_text(chain_id=chain_id)) is Reason.CHAIN
    assert reason(message_text(chain_id="0137")) is None


@pytest.mark.parametrize("moved_s", [-360, -300, 0, 60])
def test_it_was_issued_within_the_life_of_its_nonce(moved_s: float) -> None:
    assert reason(message_text(issued_at=at(moved_s))) is None


@pytest.mark.parametrize("moved_s", [-360.001, -86_400, 60.001, 86_400])
def test_it_was_issued_neither_before_nor_in_time_to_come(moved_s: float) -> None:
    assert reason(message_text(issued_at=at(moved_s))) is Reason.TIME


@pytest.mark.parametrize(
    ("moved_s", "expected"), [(-60, Reason.TIME), (-59.999, None), (0, None), (10**9, None), (-(10**9), Reason.TIME)]
)
def test_it_holds_until_it_expires(moved_s: float, expected: Reason | None) -> None:
    assert reason(message_text(rest=f"\nExpiration Time: {at(moved_s)}")) is expected


@pytest.mark.parametrize(
    ("moved_s", "expected"), [(60, None), (60.001, Reason.TIME), (-(10**9), None), (10**9, Reason.TIME)]
)
def test_it_holds_from_when_it_says(moved_s: float, expected: Reason | None) -> None:
    assert reason(message_text(rest=f"\nNot Before: {at(moved_s)}")) is expected


@pytest.mark.parametrize("year", ["0000", "0001", "9999"])
def test_years_at_the_ends_of_the_calendar_are_too_far_away_and_nothing_worse(year: str) -> None:
    assert reason(message_text(issued_at=f"{year}-06-30T12:00:00+14:00")) is Reason.TIME


def test_what_fails_first_names_the_reason() -> None:
    wrong = {
        "domain": "other.example",
        "uri": "https://third.example",
        "version": "2",
        "chain_id": "2",
        "issued_at": at(-86_400),
    }
    found = []
    while wrong:
        found.append(reason(message_text(**wrong)))
        wrong.pop(next(iter(wrong)))
    assert found == [Reason.DOMAIN, Reason.URI, Reason.VERSION, Reason.CHAIN, Reason.TIME]
    assert [*Reason] == [Reason.NONCE, *found, Reason.SIGNATURE]


def test_a_refusal_says_nothing_but_its_reason() -> None:
    assert str(WalletNotProved(Reason.CHAIN)) == "the message does not prove that the wallet is yours"
