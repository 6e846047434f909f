"""The name is resolved once for each attempt, and the connection goes to an address that was looked at."""

import asyncio
import socket
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest

from app.contexts.webhooks.adapters.outgoing.calling import Caller
from app.contexts.webhooks.adapters.outgoing.resolving import SystemResolver
from app.contexts.webhooks.application.manage_endpoints import Rules
from app.contexts.webhooks.domain.addresses import Address, Allowed, allowing
from app.contexts.webhooks.domain.delivery import Error, Result
from tests.payments.test_gateway_tls import certificate
from tests.platform.peers import RawServer, serving
from tests.webhooks.office import Office, Resolver, Stranger

__all__ = ["certificate"]

HERE = ip_address("127.0.0.1")
LOOPBACK = Rules(allowing(["127.0.0.1/32"]), allow_http=True)
PUBLIC = Rules(Allowed(), allow_http=True)


async def called(caller: Caller, url: str) -> Result:
    return await caller(url, {"webhook-id": "x"}, b"{}", asyncio.get_running_loop().time() + 60)


def named(server: RawServer, name: str = "hooks.test") -> str:
    return server.url.replace("127.0.0.1", name)


async def test_a_name_is_called_by_its_name_at_its_address() -> None:
    stranger, resolver = Stranger(), Resolver({"hooks.test": [HERE]})
    async with serving(stranger) as server:
        assert (await called(Caller(resolver, LOOPBACK), named(server))).status == 200
    assert resolver.asked == ["hooks.test"]
    assert stranger.got[0].headers["host"].startswith("hooks.test:")


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["ff02::1"],
    ],
)
async def test_where_any_address_of_a_name_is_not_public_nobody_is_called(addresses: list[str]) -> None:
    stranger = Stranger()
    async with serving(stranger) as server:
        caller = Caller(Resolver({"hooks.test": [ip_address(one) for one in addresses]}), LOOPBACK)
        assert (await called(caller, named(server))).error is Error.ADDRESS
    assert server.connections == 0


async def test_a_name_that_says_something_else_a_moment_later_is_called_where_it_was_looked_at() -> None:
    class Rebinding(Resolver):
        async def __call__(self, host: str, port: int) -> list[Address]:
            self.asked.append(host)
            return [HERE] if len(self.asked) == 1 else [ip_address("10.0.0.1")]

    stranger, resolver = Stranger(), Rebinding()
    async with serving(stranger) as server:
        caller = Caller(resolver, LOOPBACK)
        assert (await called(caller, named(server))).status == 200
        assert resolver.asked == ["hooks.test"], "once"
        # a connection that is kept is no way around it
        assert (await called(caller, named(server))).error is Error.ADDRESS
    assert server.connections == len(stranger.got) == 1


async def test_the_systems_own_resolver_is_not_asked_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()

    async def refused(*_: object, **__: object) -> None:
        raise AssertionError("resolved again")

    monkeypatch.setattr(loop, "getaddrinfo", refused)
    stranger = Stranger()
    async with serving(stranger) as server:
        assert (await called(Caller(Resolver({"hooks.test": [HERE]}), LOOPBACK), named(server))).status == 200


async def test_the_next_address_is_tried_where_the_first_takes_nobody() -> None:
    async with serving(Stranger()) as server:
        caller = Caller(
            Resolver({"hooks.test": [ip_address("127.0.0.2"), HERE]}), Rules(allowing(["127.0.0.0/8"]), allow_http=True)
        )
        assert (await called(caller, named(server))).status == 200


async def test_a_name_that_nobody_knows_is_told() -> None:
    assert (await called(Caller(Resolver(), LOOPBACK), "http://nowhere.test/")).error is Error.NAME
    assert (await called(Caller(Resolver({"empty.test": []}), LOOPBACK), "http://empty.test/")).error is Error.NAME


async def test_what_is_not_allowed_any_more_is_not_called() -> None:
    stranger = Stranger()
    async with serving(stranger) as server:
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            assert (await called(Caller(Resolver(), PUBLIC), url)).error is Error.ADDRESS
        https_only = Rules(allowing(["127.0.0.0/8"]), allow_http=False)
        assert (await called(Caller(Resolver(), https_only), server.url)).error is Error.ADDRESS
    assert server.connections == 0


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, stranger = Stranger(), Stranger()
    async with serving(proxy) as other, serving(stranger) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, other.url)
        assert (await called(Caller(Resolver(), LOOPBACK), server.url)).status == 200
    assert proxy.got == []


async def test_over_tls_the_certificate_is_checked_for_the_name(certificate: Path) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, certificate.with_name("key.pem"))
    stranger, known = Stranger(), Resolver({"other.test": [HERE]})
    async with serving(stranger, served) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        assert (await called(Caller(known, LOOPBACK), url)).error is Error.TLS, "signed by nobody"
        trusting = ssl.create_default_context(cafile=certificate)
        caller = Caller(known, LOOPBACK, trusting)
        assert (await called(caller, url.replace("localhost", "other.test"))).error is Error.TLS, "another's"
        for _ in range(2):
            assert (await called(caller, url)).status == 200
    assert len(stranger.got) == 2


async def test_an_address_that_may_not_be_called_is_told_of_the_delivery(office: Office) -> None:
    stranger = Stranger()
    async with serving(stranger) as server:
        endpoint, _ = await office.endpoint(named(server))
        async with office.sending(office.sender(Resolver({"hooks.test": [ip_address("10.1.2.3")]}))):
            await office.happen()
            await office.attempted(endpoint, 1)
    assert (await office.delivery(endpoint)).last_error == "address"
    assert stranger.got == []


async def test_the_systems_resolver_knows_this_machine_and_not_what_cannot_be() -> None:
    resolver = SystemResolver()
    try:
        assert HERE in await resolver("localhost", 80)
        with pytest.raises(OSError, match=r"."):
            await resolver("no.such.name.invalid", 80)
        with pytest.raises(OSError, match="no name"):
            await resolver("a" * 64 + ".test", 80)
    finally:
        resolver.close()


async def test_a_name_server_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    held, real = threading.Event(), socket.getaddrinfo

    def lookup(host: str, *rest: object, **more: object) -> object:
        if host.startswith("slow"):
            held.wait(30)
        return real("127.0.0.1", *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    resolver = SystemResolver()
    async with serving(Stranger()) as server:
        caller = Caller(resolver, LOOPBACK)
        slow = [asyncio.create_task(called(caller, named(server, f"slow{n}.test"))) for n in range(60)]
        await asyncio.sleep(0)
        try:
            assert (await called(caller, named(server, "quick.test"))).status == 200
        finally:
            held.set()
            await asyncio.gather(*slow)
            resolver.close()
