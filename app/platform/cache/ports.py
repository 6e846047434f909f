"""What a context asks of the cache."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from app.kernel.principal import TenantId

T = TypeVar("T")

OF_NOBODY: Final = TenantId(UUID(int=0))
"""Under which stands what no tenant has."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What is kept under keys that begin alike: `product:<name>`.

    `type` is msgspec's, of what is kept; one value of it may be None, "not there". Values live for a time between the
    two, in seconds: the middle, ± 10 %, so that they do not end together.
    """

    prefix: str
    type: Any
    ttl_s: tuple[float, float]
    absent_ttl_s: float = 5.0
    in_process: bool = True
    """Whether it is kept in the process as well; else in Redis alone."""

    def key(self, name: str) -> str:
        """The key of one, as operators write it: without its tenant."""
        return f"{self.prefix}:{name}"


class Kept(NamedTuple, Generic[T]):
    """What is kept under a key. It may be None, "not there", which is not the same as nothing that is kept."""

    value: T


class Cache(Protocol):
    """Values by key, each a tenant's. Nobody waits for a cache that is away: then everything is loaded."""

    @property
    def is_degraded(self) -> bool:
        """Whether there is a Redis, and it is left alone for now, as it does not answer."""
        ...

    async def get(self, tenant_id: TenantId, kind: Kind[T], name: str, load: Callable[[], Awaitable[T]]) -> T:
        """What is kept under the key, else what `load` brings, which is kept. Of those that ask at once one loads.

        Whatever `load` raises comes out of it, and is not kept. Nobody may change what comes out: others get the same.
        """
        ...

    def at_hand(self, tenant_id: TenantId, kind: Kind[T], name: str) -> Kept[T] | None:
        """What `get` would bring at once, as the process itself keeps it; None where somebody has to be asked."""
        ...

    async def delete(self, tenant_id: TenantId, keys: Collection[str]) -> bool:
        """Forget it, in every process: no reader that starts from now on sees what was before, nor does one that began
        to load before leave that behind. Whether Redis confirmed it; where it did not, ask again until it does.
        """
        ...

    async def delete_counted(self, tenant_id: TenantId, keys: Collection[str]) -> int:
        """The same: how many Redis had.

        Raises:
            Unavailable: it did not confirm it.
        """
        ...

    async def delete_matching(self, tenant_id: TenantId, patterns: Collection[str]) -> int:
        """Forget all whose keys match one of the patterns, in which only `*` is special: how many Redis had.

        Raises:
            Unavailable: it did not confirm it.
        """
        ...

    def forget_later(self, tenant_id: TenantId, kind: Kind[Any], names: Collection[str]) -> None:
        """Have Redis forget what it alone keeps, soon and without anybody waiting: perhaps never, then it ends by
        itself.
        """
        ...
