"""When a signed message proves that somebody holds a wallet. What fails first names the reason."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.contexts.identity.domain.instants import MICROSECONDS
from app.contexts.identity.domain.siwe import Message
from app.contexts.identity.domain.uris import authority_of
from app.kernel.refusals import Refusal

CLOCK_ERROR_S: Final = 60
"""By how much the clock of whoever made the message may be wrong."""
VERSION: Final = "1"


class Reason(StrEnum):
    """Why a message proves nothing, in the order in which it is looked for."""

    NONCE = "nonce"
    DOMAIN = "domain"
    URI = "uri"
    VERSION = "version"
    CHAIN = "chain"
    TIME = "time"
    SIGNATURE = "signature"


class WalletNotProved(Refusal):
    """The message is one, and nobody is let in by it."""

    code = "UNAUTHORIZED"

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return "the message does not prove that the wallet is yours"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a message has to say to be for us. `domains` are those of the tenant whose nonce it has."""

    domains: Collection[str]
    chain_ids: Collection[str]
    nonce_ttl_s: float


def check(message: Message, terms: Terms, now_us: int) -> None:
    """See to it that the message is for us, and of now (in microseconds since 1970).

    Raises:
        WalletNotProved: it is not.
    """
    if message.domain not in terms.domains:
        raise WalletNotProved(Reason.DOMAIN)
    scheme, authority = authority_of(message.uri)
    if scheme.lower() not in ("http", "https") or authority != message.domain:
        raise WalletNotProved(Reason.URI)
    if message.version != VERSION:
        raise WalletNotProved(Reason.VERSION)
    if message.chain_id not in terms.chain_ids:
        raise WalletNotProved(Reason.CHAIN)
    if not _is_of_now(message, terms, now_us):
        raise WalletNotProved(Reason.TIME)


def _is_of_now(message: Message, terms: Terms, now_us: int) -> bool:
    error_us = CLOCK_ERROR_S * MICROSECONDS
    oldest_us = now_us - int(terms.nonce_ttl_s * MICROSECONDS)
    return (
        oldest_us - error_us <= message.issued_at_us <= now_us + error_us
        and (message.not_before_us is None or message.not_before_us <= now_us + error_us)
        and (message.expires_at_us is None or message.expires_at_us > now_us - error_us)
    )
