"""Which addresses and URLs may be called."""

from ipaddress import ip_address

import pytest

from app.contexts.webhooks.domain.addresses import Allowed, allowing
from app.contexts.webhooks.domain.refusals import Unfit
from app.contexts.webhooks.domain.url import MOST, checked, place_of

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "192.0.0.9", "192.0.0.10", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "192.31.196.1", "192.52.193.1", "192.175.48.1",
    "2606:4700:4700::1111", "2001:4860:4860::8888", "2001:1::1", "2001:3::1", "2001:4:112::1", "2001:20::1",
    "2001:30::1", "2620:4f:8000::1", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:200::1",
]  # fmt: skip
NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::127.0.0.1", "::8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "100::1",
    "100:0:0:1::1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:a00:1::1", "2002:7f00:1::",
    "2002:e000:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0",
    "2606:4700:4700::1111%1", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "2001:0:7f00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_called(address: str) -> None:
    assert Allowed().allows(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_may_not(address: str) -> None:
    assert not Allowed().allows(ip_address(address))


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.0.0.0/8", "64:ff9b::10.1.2.3"),
        ("10.0.0.0/8", "2002:a01:203::1"),
        ("::1/128", "::1"),
    ],
)
def test_what_an_operator_allows_may_be_called_also_within_an_address(network: str, address: str) -> None:
    assert allowing([network]).allows(ip_address(address))
    assert not allowing(["192.168.0.0/16"]).allows(ip_address(address))


URLS = {
    "https://shop.example": ("shop.example", 443, "/", "shop.example"),
    "https://Shop.Example/a/b?c=d&e=%20": ("shop.example", 443, "/a/b?c=d&e=%20", "shop.example"),
    "https://shop.example?x=1": ("shop.example", 443, "/?x=1", "shop.example"),
    "https://shop.example:8443/": ("shop.example", 8443, "/", "shop.example:8443"),
    "https://shop.example:443/": ("shop.example", 443, "/", "shop.example"),
    "https://xn--caf-dma.example/": ("xn--caf-dma.example", 443, "/", "xn--caf-dma.example"),
    "https://1.1.1.1/": ("1.1.1.1", 443, "/", "1.1.1.1"),
    "https://[2606:4700:4700::1111]:8443/": ("2606:4700:4700::1111", 8443, "/", "[2606:4700:4700::1111]:8443"),
    "https://a_b.example/@x": ("a_b.example", 443, "/@x", "a_b.example"),
}


@pytest.mark.parametrize(("url", "place"), URLS.items())
def test_a_url_is_taken_apart(url: str, place: tuple[str, int, str, str]) -> None:
    found = checked(url, Allowed(), allow_http=False)
    assert (found.host, found.port, found.target, found.authority) == place


NO_URLS = [
    "", "shop.example", "http://shop.example/", "ftp://shop.example/", "https://", "https:///x", "https://user@shop.example/",
    "https://user:password@shop.example/", "https://shop.example/#part", "https://shop.example:0/",
    "https://shop.example:65536/", "https://shop.example:/", "https://shop.example\\@evil.example/",
    "https://shop.example/a b", "https://shop.example/\n", "https://shop.example\n/", " https://shop.example/",
    "https://caf\u00e9.example/", "https://shop..example/", "https://-shop.example/", "https://shop.example./",
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
    "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/",
    "https://[::1/", "https://localhost/", "https://LOCALHOST/", "https://a.localhost/", "https://169.254.169.254/latest",
    "https://%31%32%37.0.0.1/", "https://shop.example/" + "a" * MOST, "https://" + "a." * 127 + "example/",
]  # fmt: skip


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_none_that_may_be_called_is_refused_with_a_reason(url: str) -> None:
    with pytest.raises(Unfit) as refused:
        checked(url, Allowed(), allow_http=False)
    assert refused.value.member == "url"
    assert refused.value.why.startswith("must ")


def test_a_machine_of_ones_own_may_be_allowed() -> None:
    allowed = allowing(["127.0.0.0/8"])
    assert checked("http://localhost:8000/x", allowed, allow_http=True).port == 8000
    assert not place_of("http://127.0.0.1/").is_tls
    with pytest.raises(Unfit):
        checked("http://localhost:8000/x", allowed, allow_http=False)
