"""Whose request it is: past the proxies that are trusted, and as far as they can be believed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.platform.http.headers import Head
from app.platform.http.visitor import ForwardedHeader, Visitors
from tests.platform.made_up_market import OPTIONS, Market, market

TRUSTED = ("10.0.0.0/8", "fd00::/8", "192.0.2.7/32")
PROXY = "10.0.0.1"


def address(
    client: str | None, *fields: str, header: ForwardedHeader = "x-forwarded-for", trusted: Sequence[str] = TRUSTED
) -> str:
    """What limits go by for a client that sends these fields of the header."""
    scope: Any = {"client": (client, 1234) if client is not None else None}
    head = Head([(header.encode(), field.encode("latin-1")) for field in fields])
    return Visitors(trusted, header).of(scope, head).address


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("a name", ""),
        (None, ""),
    ],
)
def test_a_client_is_its_address_or_its_site(client: str | None, key: str) -> None:
    assert address(client) == key


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
def test_whoever_is_not_trusted_is_not_believed(header: ForwardedHeader) -> None:
    assert address("192.0.2.1", "198.51.100.1", "for=198.51.100.1", header=header) == "192.0.2.1"
    assert address(PROXY, "198.51.100.1", "for=198.51.100.1", header=header, trusted=()) == PROXY


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ([], PROXY),
        ([""], PROXY),
        (["198.51.100.1"], "198.51.100.1"),
        (["198.51.100.1, 198.51.100.2"], "198.51.100.2"),
        (["198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        (["198.51.100.1", "198.51.100.2,10.9.9.9", "10.1.1.1 , 192.0.2.7"], "198.51.100.2"),
        (["10.1.1.1,10.2.2.2"], "10.1.1.1"),
        (["198.51.100.1, unknown, 10.9.9.9"], "10.9.9.9"),
        (["198.51.100.1, "], PROXY),
        (["unknown"], PROXY),
        (["198.51.100.1, 10.9.9.9, 300.1.1.1"], PROXY),
        (["198.51.100.1:4711"], "198.51.100.1"),
        (["[2001:db8::1]:4711"], "2001:db8::/64"),
        (["[2001:db8::1]"], "2001:db8::/64"),
        (["2001:db8::1"], "2001:db8::/64"),
        (["198.51.100.1, fd00::1"], "198.51.100.1"),
        (["::ffff:198.51.100.1, ::ffff:10.0.0.9"], "198.51.100.1"),
        (["fe80::1%eth0"], PROXY),
        (["198.51.100.1, 010.0.0.1"], PROXY),
        (["for=198.51.100.1"], PROXY),
        (["é, \x00"], PROXY),
        ([",".join(["198.51.100.1"] + ["10.0.0.2"] * 40)], "10.0.0.2"),
    ],
)
def test_entries_are_counted_from_the_right_up_to_the_first_that_is_not_trusted(fields: list[str], key: str) -> None:
    assert address(PROXY, *fields) == key


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        (["for=198.51.100.1"], "198.51.100.1"),
        (["For=198.51.100.1;proto=http;by=10.0.0.1"], "198.51.100.1"),
        (['for="198.51.100.1:4711"'], "198.51.100.1"),
        (["for=198.51.100.1:4711"], "198.51.100.1"),
        (['for="[2001:db8::1]:4711"'], "2001:db8::/64"),
        (['for="[2001:db8::1]"'], "2001:db8::/64"),
        (['for="2001:db8::1"'], PROXY),
        (["for=198.51.100.1, for=198.51.100.2;host=a", "for=10.2.2.2"], "198.51.100.2"),
        (['for=198.51.100.1;host="a,for=198.51.100.9;b", for=10.2.2.2'], "198.51.100.1"),
        (['for=198.51.100.1;host="a\\", for=198.51.100.9", for=10.2.2.2'], "198.51.100.1"),
        ([r'for="198.51\.100.1"'], "198.51.100.1"),
        (["for=198.51.100.1, for=_hidden, for=10.2.2.2"], "10.2.2.2"),
        (["for=198.51.100.1, for=unknown"], PROXY),
        (["for=198.51.100.1, proto=https"], PROXY),
        (["for=198.51.100.1, for=10.2.2.2;for=10.2.2.2"], PROXY),
        (["for=198.51.100.1, for"], PROXY),
        (["198.51.100.1"], PROXY),
        (['for="198.51.100.1'], PROXY),
        (["for="], PROXY),
        ([""], PROXY),
        (['"' * 9000], PROXY),
        (['for="' + "\\" * 9000], PROXY),
        (["for=" + "a" * 9000], PROXY),
        (["," * 9000], PROXY),
        ([";" * 9000], PROXY),
    ],
)
def test_elements_of_forwarded_are_counted_alike(fields: list[str], key: str) -> None:
    assert address(PROXY, *fields, header="forwarded") == key


def test_only_the_header_that_is_named_is_read() -> None:
    scope: Any = {"client": (PROXY, 1)}
    both = Head([(b"x-forwarded-for", b"198.51.100.1"), (b"forwarded", b"for=198.51.100.2")])
    assert Visitors(TRUSTED, "x-forwarded-for").of(scope, both).address == "198.51.100.1"
    assert Visitors(TRUSTED, "forwarded").of(scope, both).address == "198.51.100.2"


@pytest.mark.parametrize(
    ("host", "authority", "bare"),
    [
        ("Shop.Example", "shop.example", "shop.example"),
        ("shop.example:8443", "shop.example:8443", "shop.example"),
        ("[::1]:8080", "[::1]:8080", "[::1]"),
        ("[2001:DB8::1]", "[2001:db8::1]", "[2001:db8::1]"),
        ("", "", ""),
        ("a b", "", ""),
        ("shop.example:", "", ""),
        ("shop.example:a", "", ""),
        ("é.example", "", ""),
        ("user@shop.example", "", ""),
        ("a" * 300, "", ""),
    ],
)
def test_a_host_is_in_lower_case_and_without_a_port(host: str, authority: str, bare: str) -> None:
    scope: Any = {"client": ("192.0.2.1", 1)}
    head = Head([(b"host", host.encode("latin-1")), (b"x-forwarded-host", b"evil.example")])
    visitor = Visitors(TRUSTED, "x-forwarded-for").of(scope, head)
    assert (visitor.authority, visitor.host) == (authority, bare)


def test_a_trusted_proxy_says_which_host_was_asked_the_nearest_last() -> None:
    scope: Any = {"client": (PROXY, 1)}
    for told, host in (
        ([b"Shop.Example:8443"], "shop.example"),
        ([b"evil.example, shop.example"], "shop.example"),
        ([b"evil.example", b"shop.example"], "shop.example"),
        ([b"not a host"], "inner.example"),
        ([], "inner.example"),
    ):
        head = Head([(b"host", b"inner.example"), *((b"x-forwarded-host", each) for each in told)])
        assert Visitors(TRUSTED, "x-forwarded-for").of(scope, head).host == host


@pytest.fixture(scope="module")
def behind_a_proxy() -> Iterator[Market]:
    """The market, which believes whoever comes from this machine."""
    with market(replace(OPTIONS, trusted_proxies=("127.0.0.0/8",))) as served:
        yield served


def test_over_the_wire_client_and_host_are_what_the_proxy_says(behind_a_proxy: Market) -> None:
    behind_a_proxy.counter.taken.clear()
    told = [
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-For", "2001:db8::7, 127.0.0.2"),
        ("X-Forwarded-Host", "elsewhere.example:8443"),
        ("Forwarded", "for=192.0.2.9"),
    ]
    with behind_a_proxy.client() as client:
        said = client.get("/v1/wares", headers=told).json()
    assert (said["address"], said["authority"], said["host"]) == (
        "2001:db8::/64",
        "elsewhere.example:8443",
        "elsewhere.example",
    )
    assert behind_a_proxy.counter.taken == [("ip", "2001:db8::/64")]


def test_a_page_of_the_host_that_the_proxy_says_is_one_of_ours(behind_a_proxy: Market) -> None:
    told = {"X-Forwarded-Host": "shop.example", "Origin": "https://shop.example"}
    with behind_a_proxy.client() as client, market() as open_to_all, open_to_all.client() as direct:
        assert client.post("/v1/auth/login", headers=told).status_code == 200
        assert direct.post("/v1/auth/login", headers=told).status_code == 403
