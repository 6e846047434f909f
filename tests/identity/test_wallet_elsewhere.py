"""Signing in with a wallet where things are otherwise: several tenants, contracts, nodes that are away, no domain."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.identity.nodes import MAGIC, Chain
from tests.identity.signing_in import Door, door, reason_of
from tests.identity.wallets import DOMAIN, WALLET, Wallet
from tests.platform.peers import closed_port, serving

CONTRACT = "0x111AAA1111111111111111111111111111111111"
TENANT = {"Host": "other.example"}

Opens = Callable[..., AbstractAsyncContextManager[Door]]


@pytest.fixture(scope="module")
def opens(module_database: Urls, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Opens:
    """A door, by the settings of signing in."""
    superuser_url = postgres_server.url(module_database.app_url.rpartition("/")[2].partition("?")[0])
    folder = tmp_path_factory.mktemp("keys")
    return lambda **settings: door(module_database.app_url, superuser_url, folder, **settings)


@pytest.fixture(scope="module")
async def two(opens: Opens) -> AsyncIterator[Door]:
    """Two tenants, one of whose host is listed; and a third, whose is not."""
    async with opens(SIWE_DOMAINS=f"{DOMAIN},other.example") as two:
        await two.tenant("other")
        await two.tenant("third")
        yield two


async def test_with_no_domain_there_are_no_such_routes_and_a_message_links_nothing(opens: Opens) -> None:
    async with opens(SIWE_DOMAINS=DOMAIN) as there:
        token = (await there.sign_in()).json()["access_token"]
    async with opens() as nowhere:
        unknown = await nowhere.client.get("/v1/auth/no-such-route")
        for answer in (
            await nowhere.client.get("/v1/auth/nonce"),
            await nowhere.client.post("/v1/auth/siwe", json={"message": "", "signature": "0x"}),
        ):
            assert answer.status_code == 404
            assert answer.content == unknown.content
        linking = await nowhere.client.patch(
            "/v1/auth/me", json={"message": "a", "signature": "0x"}, headers={"Authorization": f"Bearer {token}"}
        )
        assert (linking.status_code, list(linking.json()["error"]["details"])) == (400, ["message"])


async def test_a_nonce_of_one_tenant_is_none_to_another_and_is_not_spent_there(two: Door) -> None:
    message = await two.message()
    signature = WALLET.sign(message)
    assert reason_of(await two.send(message, signature, **TENANT)) == "nonce"
    assert (await two.send(message, signature)).status_code == 200


async def test_a_tenants_people_sign_in_at_its_own_domain_alone(two: Door) -> None:
    given = await two.nonce(**TENANT)
    assert given["domain"] == "other.example"
    for domain, nonce, host in (
        (DOMAIN, given["nonce"], "other.example"),
        ("other.example", (await two.nonce())["nonce"], DOMAIN),
    ):
        message = await two.message(domain=domain, uri=f"https://{domain}", nonce=nonce)
        assert reason_of(await two.send(message, WALLET.sign(message), Host=host)) == "domain"


async def test_a_tenant_whose_host_is_not_listed_has_the_domains_that_are_nobodys(two: Door) -> None:
    given = await two.nonce(Host="third.example")
    assert given["domain"] == DOMAIN
    message = await two.message(Wallet(2001), nonce=given["nonce"])
    answer = await two.send(message, Wallet(2001).sign(message), Host="third.example")
    assert answer.status_code == 200


async def test_one_wallet_is_somebody_else_with_each_tenant(two: Door) -> None:
    wallet, users = Wallet(2002), []
    for host in (DOMAIN, "other.example"):
        given = await two.nonce(Host=host)
        message = await two.message(wallet, domain=given["domain"], uri=given["uri"], nonce=given["nonce"])
        users.append((await two.send(message, wallet.sign(message), Host=host)).json()["user"]["user_id"])
    assert len(set(users)) == 2
    assert two.rows(
        "SELECT count(DISTINCT tenant_id) FROM identity.users WHERE wallet_address = %s", wallet.address
    ) == [(2,)]


async def link(here: Door, answer: httpx.Response, wallet: Wallet, **said: str) -> httpx.Response:
    """Try to make the wallet's address one's own."""
    message = await here.message(wallet, **said)
    body = {"message": message, "signature": wallet.sign(message)}
    headers = {"Host": DOMAIN, "Authorization": f"Bearer {answer.json()['access_token']}"}
    return await here.client.patch("/v1/auth/me", json=body, headers=headers)


async def test_whoever_proves_it_has_another_address_linked(two: Door) -> None:
    signed_in = await two.sign_in(Wallet(2003))
    user_id = signed_in.json()["user"]["user_id"]
    linked = await link(two, signed_in, Wallet(2004))
    assert (linked.status_code, linked.json()["user"]["wallet_address"]) == (200, Wallet(2004).address)
    assert two.events(user_id) == ["user.registered", "user.address_linked"]
    assert (await two.sign_in(Wallet(2004))).json()["user"]["user_id"] == user_id
    assert (await two.sign_in(Wallet(2003))).json()["user"]["user_id"] != user_id


async def test_an_address_that_somebody_has_is_taken(two: Door) -> None:
    somebody, other = await two.sign_in(Wallet(2005)), await two.sign_in(Wallet(2006))
    taken = await link(two, other, Wallet(2005))
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "ADDRESS_TAKEN")
    assert two.events(other.json()["user"]["user_id"]) == ["user.registered"]
    again = await link(two, somebody, Wallet(2005))
    assert again.status_code == 200
    assert two.events(somebody.json()["user"]["user_id"]) == ["user.registered"]


async def test_what_proves_nothing_links_nothing_and_says_why(two: Door) -> None:
    signed_in = await two.sign_in(Wallet(2007))
    assert reason_of(await link(two, signed_in, Wallet(2008), chain_id="5")) == "chain"
    assert reason_of(await link(two, signed_in, Wallet(2008), nonce="a" * 32)) == "nonce"
    answer = await link(two, signed_in, Wallet(2008), version="one")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["message"])
    assert (await two.sign_in(Wallet(2007))).json()["user"]["wallet_address"] == Wallet(2007).address


async def test_an_account_that_is_a_contract_signs_in_as_the_contract_says(opens: Opens) -> None:
    chain = Chain({CONTRACT: lambda digest, signature: MAGIC if signature == b"ours" else "0x"})
    async with serving(chain.serve) as node, opens(SIWE_DOMAINS=DOMAIN, EVM_RPC_URLS=f"1={node.url}") as here:
        message = await here.message(address=CONTRACT)
        assert reason_of(await here.send(message, "0x" + b"theirs".hex())) == "signature"
        message = await here.message(address=CONTRACT)
        answer = await here.send(message, "0x" + b"ours".hex())
        assert (answer.status_code, answer.json()["user"]["wallet_address"]) == (200, CONTRACT)
        before = len(chain.asked)
        assert (await here.sign_in(Wallet(2009))).status_code == 200
        assert len(chain.asked) == before


async def test_a_key_that_does_not_fit_an_account_without_code_does_not_sign_in(opens: Opens) -> None:
    chain = Chain()
    async with serving(chain.serve) as node, opens(SIWE_DOMAINS=DOMAIN, EVM_RPC_URLS=f"1={node.url}") as here:
        message = await here.message(Wallet(2010))
        assert reason_of(await here.send(message, Wallet(2011).sign(message))) == "signature"
    assert [one["method"] for one in chain.asked] == ["eth_getCode"]


async def test_while_the_node_is_away_a_key_signs_in_and_a_contract_is_told_to_come_back(opens: Opens) -> None:
    away = f"1=http://127.0.0.1:{closed_port()}"
    async with opens(SIWE_DOMAINS=DOMAIN, EVM_RPC_URLS=away) as here:
        assert (await here.sign_in(Wallet(2012))).status_code == 200
        message = await here.message(address=CONTRACT)
        answer = await here.send(message, "0x1234")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert answer.headers["Retry-After"] == "1"
        assert reason_of(await here.send(message, "0x1234")) == "nonce"


async def test_no_connection_to_the_database_is_held_while_a_node_thinks(opens: Opens) -> None:
    busy: list[int] = []
    async with opens(SIWE_DOMAINS=DOMAIN) as counting:

        def contract(digest: bytes, signature: bytes) -> str:
            query = """SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND starts_with(state, 'idle in transaction')"""
            busy.append(int(counting.rows(query)[0][0]))
            return MAGIC

        chain = Chain({CONTRACT: contract})
        async with serving(chain.serve) as node, opens(SIWE_DOMAINS=DOMAIN, EVM_RPC_URLS=f"1={node.url}") as here:
            message = await here.message(address=CONTRACT)
            assert (await here.send(message, "0x1234")).status_code == 200
    assert busy == [0]
