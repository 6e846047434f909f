"""Wallets that tests sign with, and the messages that they sign: texts, as any page might write them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eth_account import Account
from eth_account.messages import encode_defunct

from app.contexts.identity.domain.siwe import Message, parse
from app.platform.eip55 import checksummed

DOMAIN = "shop.example"
NONCE = "5f0c2ad1b86e43e7"
NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Wallet:
    """A key. Its number is the key itself: nobody keeps money behind it."""

    number: int = 1

    @property
    def key(self) -> str:
        return f"0x{self.number:064x}"

    @property
    def address(self) -> str:
        return str(Account.from_key(self.key).address)

    def sign(self, text: str) -> str:
        """As wallets do it (EIP-191), by the library that wallets' makers test with."""
        return f"0x{bytes(Account.sign_message(encode_defunct(text=text), self.key).signature).hex()}"


WALLET = Wallet()


def at(moved_s: float = 0, now: datetime = NOW) -> str:
    """A time so many seconds away, as messages have it."""
    return (now + timedelta(seconds=moved_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_text(
    *,
    domain: str = DOMAIN,
    address: str = WALLET.address,
    statement: str | None = None,
    uri: str | None = None,
    version: str = "1",
    chain_id: str = "1",
    nonce: str = NONCE,
    issued_at: str = at(),
    rest: str = "",
) -> str:
    """A message. `rest` follows the last line that there has to be, with its line feed."""
    said = "\n" if statement is None else f"\n{statement}\n"
    return (
        f"{domain} wants you to sign in with your Ethereum account:\n{address}\n{said}\n"
        f"URI: {uri or f'https://{domain}/sign-in'}\nVersion: {version}\nChain ID: {chain_id}\nNonce: {nonce}\n"
        f"Issued At: {issued_at}{rest}"
    )


def read(text: str) -> Message:
    """The message, by our grammar."""
    return parse(text, checksummed)
