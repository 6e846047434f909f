"""How a mock gateway fails, and making it fail otherwise, on record."""

from dataclasses import asdict, dataclass
from typing import Final, Protocol

from app.platform.operations.actions import Actions, recorded

MODES: Final = (
    "happy", "timeout", "500", "declined", "latency", "random", "429", "reset", "garbage", "wrong_amount",
)  # fmt: skip
APPLIES_TO: Final = ("charge", "refund", "ask", "void", "all")
CHARGES: Final = ("never", "before", "after")
MOST_LATENCY_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class GatewayMode:
    """One of `MODES`, the share of requests that it hits (0 to 1), which (`APPLIES_TO`), its time, if not the usual
    one, and when a charge is recorded, seen from the failure (`CHARGES`)."""

    mode: str
    applies_to: str = "charge"
    rate: float = 1.0
    latency_ms: int | None = None
    charge: str = "never"


class GatewayControl(Protocol):
    """The control endpoint of a mock gateway. Both methods raise `Unavailable` while it does not answer."""

    async def mode(self) -> GatewayMode | None:
        """How it fails now; None when the gateway is no mock."""
        ...

    async def set_mode(self, mode: GatewayMode) -> None:
        """Make it fail so from now on."""
        ...


async def set_mode(control: GatewayControl, actions: Actions, mode: GatewayMode) -> None:
    """Make the mock gateway fail so from now on.

    Raises:
        NotRecorded: see `recorded`.
        Unavailable: the gateway does not answer, or is no mock.
    """
    async with recorded(actions, "gateway mode", asdict(mode)):
        await control.set_mode(mode)
