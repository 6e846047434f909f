"""The grammar of EIP-4361, rule by rule: what is of it, and what is not."""

import pytest

from app.contexts.identity.domain.siwe import NotAMessage
from tests.identity.wallets import DOMAIN, WALLET, at, message_text, read

WANTS = " wants you to sign in with your Ethereum account:"


def test_the_shortest_message_says_what_it_has_to() -> None:
    message = read(message_text())
    assert (message.scheme, message.domain, message.address) == (None, DOMAIN, WALLET.address)
    assert (message.statement, message.uri) == (None, f"https://{DOMAIN}/sign-in")
    assert (message.version, message.chain_id, message.nonce) == ("1", "1", "5f0c2ad1b86e43e7")
    assert message.issued_at_us == 1_769_860_800_000_000
    assert (message.expires_at_us, message.not_before_us, message.request_id, message.resources) == (
        None,
        None,
        None,
        (),
    )


def test_the_longest_message_says_all_that_there_is() -> None:
    rest = (
        f"\nExpiration Time: {at(60)}\nNot Before: {at(-60)}\nRequest ID: a%20b:c@d"
        "\nResources:\n- ipfs://bafy/\n- urn:isbn:0\n- https://[2001:db8::1]:8080/a?b=c#d"
    )
    message = read(message_text(domain=f"https://{DOMAIN}", uri="https://a.example", statement="I agree.", rest=rest))
    assert (message.scheme, message.domain, message.statement) == ("https", DOMAIN, "I agree.")
    assert message.expires_at_us == message.issued_at_us + 60_000_000
    assert message.not_before_us == message.issued_at_us - 60_000_000
    assert message.request_id == "a%20b:c@d"
    assert message.resources == ("ipfs://bafy/", "urn:isbn:0", "https://[2001:db8::1]:8080/a?b=c#d")


@pytest.mark.parametrize(
    ("given", "chain_id"), [("1", "1"), ("01", "1"), ("000", "0"), ("137", "137"), ("9" * 5000, "9" * 5000)]
)
def test_a_chain_is_told_by_digits_with_noughts_before_them_or_not(given: str, chain_id: str) -> None:
    assert read(message_text(chain_id=given)).chain_id == chain_id


@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "localhost:8080",
        "localhost:",
        "127.0.0.1:8080",
        "[::1]:8080",
        "[2001:db8::7:203.0.113.9]",
        "[v7.a:b]",
        "user:pass@shop.example",
        "xn--bcher-kva.example",
        "a_b!$&'()*+,;=~.example",
        "%41.example",
        "git+ssh://shop.example",
    ],
)
def test_a_domain_is_any_authority_perhaps_with_a_scheme(domain: str) -> None:
    scheme, _, rest = domain.rpartition("://")
    message = read(message_text(domain=domain, uri="https://a.example"))
    assert (message.scheme or "", message.domain) == (scheme, rest)


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "https://",
        "://shop.example",
        "1http://shop.example",
        "ht_tp://shop.example",
        "shop.example/",
        "shop.example/path",
        "shop.example?a",
        "shop.example#a",
        " shop.example",
        "shop.example ",
        "shop.example:80a",
        "shop.example:8:0",
        "a@b@shop.example",
        "[::1",
        "[::1]8080",
        "[1::2::3]",
        "[fe80::1%25eth0]",
        "[1:2:3:4:5:6:7:8:9]",
        "[]",
        "%4.example",
        "%zz.example",
        "a\\b.example",
        "bücher.example",
        "shop\u2024example",
        "shop.example\u202e",
    ],
)
def test_what_is_no_authority_is_no_domain(domain: str) -> None:
    with pytest.raises(NotAMessage):
        read(message_text(domain=domain, uri="https://a.example"))


@pytest.mark.parametrize(
    "address",
    [
        WALLET.address.lower(),
        "0x" + WALLET.address[2:].upper(),
        "0X" + WALLET.address[2:],
        WALLET.address[2:],
        WALLET.address[:-1],
        WALLET.address + "0",
        WALLET.address.swapcase().replace("0X", "0x"),
        WALLET.address[:-1] + "g",
        WALLET.address + " ",
        " " + WALLET.address,
        "",
        "vitalik.eth",
    ],
)
def test_an_address_is_in_its_eip_55_spelling_or_none(address: str) -> None:
    with pytest.raises(NotAMessage, match="EIP-55"):
        read(message_text(address=address))


@pytest.mark.parametrize(
    "address",
    [
        "0x0000000000000000000000000000000000000000",
        "0x1111111111111111111111111111111111111111",
        "0x111AAA1111111111111111111111111111111111",
        "0x111111111111111111aaa1111111111111111111",
    ],
)
def test_addresses_of_one_case_or_of_digits_alone_have_such_a_spelling_too(address: str) -> None:
    assert read(message_text(address=address)).address == address


@pytest.mark.parametrize(
    "statement", ["", " ", "I agree.", "URI: https://a.example", "a" * 10_000, ":/?#[]@!$&'()*+,;=-._~ aZ09"]
)
def test_a_statement_is_a_line_of_what_uris_and_blanks_are_made_of_and_may_be_empty(statement: str) -> None:
    assert read(message_text(statement=statement)).statement == statement


@pytest.mark.parametrize(
    "character", [*'"<>\\^`{|}%', "\t", "\r", "\0", "\x7f", "\x85", "é", "\u2028", "\ud800", "\u0410"]
)
def test_a_statement_has_no_other_character(character: str) -> None:
    with pytest.raises(NotAMessage, match="statement"):
        read(message_text(statement=f"I{character}agree"))


@pytest.mark.parametrize(
    "uri",
    [
        "https:",
        "https://",
        "did:key:z6Mk",
        "urn:a",
        "http://shop.example",
        "HTTPS://SHOP.EXAMPLE/",
        "https://a@shop.example:1/?/?#/?",
        "file:///etc/passwd",
        "data:,a",
        "a:/b//c",
        "javascript:alert(1)",
    ],
)
def test_a_uri_is_any_that_has_a_scheme(uri: str) -> None:
    assert read(message_text(uri=uri)).uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "//shop.example",
        "/sign-in",
        "shop.example",
        "1https://shop.example",
        "https://shop.example/a b",
        "https://shop.example/%zz",
        "https://shop.example/%2",
        "https://shop.example/#a#b",
        "https://shop.example/[a]",
        "https://shop.example/?[",
        "https://[shop.example]/",
        "https://shop.example:a/",
        "https://shop.example/ü",
        "https://shop.example/{a}",
        "https://shop.example/\r",
        " https://shop.example",
    ],
)
def test_what_is_none_is_none_neither_as_uri_nor_as_resource(uri: str) -> None:
    with pytest.raises(NotAMessage, match="URI"):
        read(message_text(uri=uri))
    with pytest.raises(NotAMessage, match="resource"):
        read(message_text(rest=f"\nResources:\n- {uri}"))


@pytest.mark.parametrize(
    "nonce", ["", "1234567", "a-b-c-d-e", "5f0c2ad1b86e43e7 ", "\uff15f0c2ad1b86e43e7", "nonce_of_mine"]
)
def test_a_nonce_has_eight_letters_and_digits_at_the_least(nonce: str) -> None:
    with pytest.raises(NotAMessage, match="Nonce"):
        read(message_text(nonce=nonce))
    assert read(message_text(nonce="aZ09aZ09")).nonce == "aZ09aZ09"


@pytest.mark.parametrize("number", ["", "-1", "+1", "1.0", "0x1", "1e3", "\u0661", " 1", "one"])
def test_version_and_chain_are_digits(number: str) -> None:
    with pytest.raises(NotAMessage, match="Version"):
        read(message_text(version=number))
    with pytest.raises(NotAMessage, match="Chain ID"):
        read(message_text(chain_id=number))


@pytest.mark.parametrize("request_id", ["", "a", "a:b@c!$&'()*+,;=%2F~"])
def test_a_request_id_is_of_a_paths_characters_and_may_be_empty(request_id: str) -> None:
    assert read(message_text(rest=f"\nRequest ID: {request_id}")).request_id == request_id


@pytest.mark.parametrize("request_id", ["a b", "a/b", "a?b", "a#b", "%", "%2", "ä", "[", " "])
def test_a_request_id_has_no_other_character(request_id: str) -> None:
    with pytest.raises(NotAMessage, match="Request ID"):
        read(message_text(rest=f"\nRequest ID: {request_id}"))


def test_resources_may_be_none_at_all() -> None:
    assert read(message_text(rest="\nResources:")).resources == ()
