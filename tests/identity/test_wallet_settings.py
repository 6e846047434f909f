"""The settings of signing in with a wallet: what is wrong with one is told by its name when a process starts."""

import pytest

from app.contexts.identity.settings import IdentitySettings
from app.contexts.identity.wallet_settings import domains_of_a_run
from app.platform.process.settings import InvalidSettings, Settings


def test_nobody_signs_in_with_a_wallet_unless_somebody_says_where() -> None:
    settings = IdentitySettings()
    assert (settings.wallet_domains, settings.wallet_chains, dict(settings.wallet_nodes)) == ((), ("1",), {})


def test_what_is_listed_is_read_once_in_its_order() -> None:
    settings = IdentitySettings(
        siwe_domains="shop.example, localhost:8080,shop.example,[::1]:8080,xn--bcher-kva.example:443,a.example:80",
        siwe_chain_ids="137,1,137",
        evm_rpc_urls="1=https://key:secret@node.example/v3?key=a=b, 137=http://127.0.0.1:8545",
    )
    assert settings.wallet_domains == (
        "shop.example", "localhost:8080", "[::1]:8080", "xn--bcher-kva.example:443", "a.example:80",
    )  # fmt: skip
    assert settings.wallet_chains == ("137", "1")
    assert dict(settings.wallet_nodes) == {
        "1": "https://key:secret@node.example/v3?key=a=b",
        "137": "http://127.0.0.1:8545",
    }


@pytest.mark.parametrize(
    "domain",
    [
        "https://shop.example",
        "shop.example/",
        "Shop.example",
        "*.shop.example",
        "*",
        "user@shop.example",
        "shop.example:",
        "shop.example:port",
        "shop.example:99999",
        "bücher.example",
        "shop example",
        "127.1",
        "[0::1]",
    ],
)
def test_a_domain_is_a_host_as_browsers_write_it(domain: str) -> None:
    with pytest.raises(InvalidSettings, match="SIWE_DOMAINS: entry 2 "):
        IdentitySettings(siwe_domains=f"localhost,{domain}")


@pytest.mark.parametrize("chain_id", ["0", "01", "0x1", "-1", "one", "1.0", "٣", "9" * 79])
def test_a_chain_is_a_number(chain_id: str) -> None:
    with pytest.raises(InvalidSettings, match="SIWE_CHAIN_IDS: entry 2 "):
        IdentitySettings(siwe_chain_ids=f"1,{chain_id}")


def test_there_is_at_least_one_chain() -> None:
    with pytest.raises(InvalidSettings, match="SIWE_CHAIN_IDS"):
        IdentitySettings(siwe_chain_ids=" , ")


@pytest.mark.parametrize(
    "entry",
    [
        "https://secret.example",
        "1",
        "1=",
        "=https://secret.example",
        "01=https://secret.example",
        "one=https://secret.example",
        "1=secret.example",
        "1=ws://secret.example",
        "1=file:///secret",
        "1=https://",
        "1=https://secret.example/#a",
        "1=https://secret.example:99999",
    ],
)
def test_a_node_is_a_chain_and_a_url_of_which_nothing_is_told(entry: str) -> None:
    with pytest.raises(InvalidSettings, match="EVM_RPC_URLS: entry 2 ") as refused:
        IdentitySettings(evm_rpc_urls=f"5=https://a.example,{entry}")
    assert "secret" not in str(refused.value)


def test_a_chain_has_one_node() -> None:
    with pytest.raises(InvalidSettings, match="EVM_RPC_URLS: chain 1 is there twice"):
        IdentitySettings(evm_rpc_urls="1=https://a.example,1=https://b.example")


@pytest.mark.parametrize(
    ("host", "port", "domains"),
    [
        ("127.0.0.1", 8080, ("127.0.0.1:8080", "localhost:8080", "localhost")),
        ("::1", 8081, ("[::1]:8081", "localhost:8081", "localhost")),
        ("localhost", 80, ("localhost",)),
        ("Box.example", 8080, ("box.example:8080", "localhost:8080", "localhost")),
    ],
)
def test_a_run_serves_wallets_where_it_is_and_at_localhost(host: str, port: int, domains: tuple[str, ...]) -> None:
    listed = domains_of_a_run(Settings(http_host=host, http_port=port))
    assert IdentitySettings(siwe_domains=listed).wallet_domains == domains
