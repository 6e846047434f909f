"""What the front door asks of whoever counts: may this pass, and how long until the next may."""

from typing import Final, Literal, NamedTuple, Protocol

LimitName = Literal["ip", "user", "wallet", "login"]
IP: Final = "ip"
USER: Final = "user"
WALLET: Final = "wallet"
LOGIN: Final = "login"


class Refused(NamedTuple):
    """Past a limit: what the answer says of it, in whole seconds, rounded up."""

    name: LimitName
    burst: int
    """As many pass at once where nobody has for a while."""
    window_s: int
    """As long as an empty bucket takes to be full again."""
    retry_after_s: int
    """The next one passes after that, if nobody else asks: 1 at least."""
    reset_s: int
    """When there is a token again: the same moment."""


class Limits(Protocol):
    """Buckets of tokens, one for each key of each limit."""

    async def take(self, name: LimitName, key: str) -> Refused | None:
        """Take a token out of the key's bucket; None lets through. A limit that is off lets everything through.

        Raises nothing where the buckets cannot be reached: each process goes by buckets of its own then.
        """
        ...

    async def give_back(self, name: LimitName, key: str) -> None:
        """Put a token back that was taken, never past what the bucket holds; nothing where there is no such bucket."""
        ...
