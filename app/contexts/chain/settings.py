"""The settings of the chain."""

import re
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta

from app.platform.process.settings import Count, InvalidSettings, Port, Seconds, Section
from app.platform.process.urls import node_url, secret

_ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")
_GRPC: Final = re.compile(
    r"(?:(?P<scheme>https?|grpcs?)://)?(?P<target>[A-Za-z0-9._-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5})/?"
)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("is no address: 0x and 40 hexadecimal digits")
    return text.lower()


def _grpc_url(text: str) -> str:
    if not _GRPC.fullmatch(text):
        raise ValueError("is no host with a port, with http:// or https:// before it or nothing")
    return text


class Endpoint(NamedTuple):
    """Where the adapter is: host and port, and whether by TLS."""

    target: str
    is_tls: bool


class ChainSettings(Section, frozen=True, kw_only=True):
    """Where the chain's adapter is, and what the adapter works with: node, contract and key."""

    chain_grpc_url: Annotated[str, Meta(extra={"check": _grpc_url})] = ""
    """Where clients find the adapter."""
    chain_grpc_port: Port = 50051
    """What the adapter serves on."""
    chain_token: Annotated[str, Meta(extra={"check": secret})] = ""
    chain_tls_cert: str = ""
    chain_tls_key: str = ""
    chain_tls_ca: str = ""
    evm_rpc_url: Annotated[str, Meta(extra={"check": node_url})] = ""
    chain_id: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    chain_contract: Annotated[str, Meta(extra={"check": _address})] = ""
    chain_key_file: str = ""
    chain_confirmations: Count = 12
    """Blocks from the one that includes it on, which is the first."""
    chain_stuck_s: Seconds = 15.0
    chain_metrics_port: Port = 0
    dev_chain_port: Port = 8545
    """Of the private node of a `strongbox run`."""
    dev_chain_engine: Literal["auto", "anvil", "python"] = "auto"
    """What makes its blocks: anvil where it is installed, unless another is asked for."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.chain_tls_cert) != bool(self.chain_tls_key):
            raise InvalidSettings("CHAIN_TLS_CERT and CHAIN_TLS_KEY go together: one of them is not set")
        if self.chain_tls_ca and self.chain_grpc_url and not self.endpoint.is_tls:
            raise InvalidSettings("CHAIN_TLS_CA is set, and CHAIN_GRPC_URL is one without TLS: nobody would be checked")

    @property
    def endpoint(self) -> Endpoint:
        """CHAIN_GRPC_URL: an authority of one's own says TLS, where the URL says nothing."""
        found = _GRPC.fullmatch(self.chain_grpc_url)
        assert found is not None
        scheme = found["scheme"]
        return Endpoint(found["target"], scheme in ("https", "grpcs") or (scheme is None and bool(self.chain_tls_ca)))
