"""The settings of identity."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from app.contexts.identity import wallet_settings
from app.platform.process.settings import CommaList, Hours, Seconds, Section


class IdentitySettings(Section, frozen=True, kw_only=True):
    """Tokens, cookies, passwords, and signing in with a wallet."""

    jwt_keys: str = ""
    jwt_issuer: str = "strongbox"
    jwt_audience: str = "strongbox"
    jwt_alg: Literal["RS256", "EdDSA", "HS256"] = "RS256"
    access_ttl_s: Seconds = 900.0
    refresh_ttl_h: Hours = 720.0
    refresh_grace_s: Seconds = 10.0
    session_ttl_h: Hours = 24.0
    cookie_secure: bool = True
    password_min: Annotated[int, Meta(ge=8, le=256)] = 8
    password_pool: Annotated[int, Meta(ge=0, le=64)] = 0
    """0: the cores."""
    login_floor_ms: Annotated[int, Meta(ge=0, le=10_000)] = 250
    siwe_domains: CommaList = ""
    siwe_chain_ids: CommaList = "1"
    siwe_nonce_ttl_s: Seconds = 300.0
    evm_rpc_urls: CommaList = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.wallet_domains, self.wallet_chains, self.wallet_nodes

    @property
    def wallet_domains(self) -> tuple[str, ...]:
        """The domains that people may sign in at with a wallet; without one nobody does."""
        return wallet_settings.domains(self.siwe_domains)

    @property
    def wallet_chains(self) -> tuple[str, ...]:
        """The ids of the chains that they may sign in for."""
        return wallet_settings.chains(self.siwe_chain_ids)

    @property
    def wallet_nodes(self) -> Mapping[str, str]:
        """Where a node of a chain is, by its id."""
        return wallet_settings.nodes(self.evm_rpc_urls)
