"""How the gateway fails: the mode that is set, and what it makes of one request.

    mode            what the client sees            when the request takes effect
                                                    charge=before     after              never
    happy           the answer                      at once, always
    declined        a declined charge, or a         at once, always (asks and voids as in happy)
                    refused refund
    latency         the answer, latency_ms later    at arrival        with the answer    with the answer
    timeout         nothing; hung up on after       at arrival        when hung up on    never
                    latency_ms
    500, 429        an error                        first             latency_ms later   never
    reset           a TCP RST                       first             latency_ms later   never
    garbage         what the contract does not know first             latency_ms later   never
    wrong_amount    an approval, or a refund, of    first, for the    latency_ms later,  never
                    one minor unit too many (asks   wrong amount      wrong as well
                    too)

To take effect is, for a charge or a refund, to be recorded; for a void, to put the tombstone; an ask has no effect.
What takes effect late does so though the client has gone, meets whatever stands by then (a tombstone refuses it, a
charge makes it a repetition), and with `latency` and `before` an answer may be stale when it arrives. A mode never
undoes a charge.
"""

from hashlib import blake2b
from typing import Annotated, Literal, NamedTuple, cast, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

Kind = Literal["happy", "timeout", "500", "declined", "latency", "429", "reset", "garbage", "wrong_amount"]
ModeName = Literal[Kind, "random"]
Endpoint = Literal["charge", "ask", "void", "refund"]

Fault = Literal["missing", "doubled", "wrong_amount", "wrong_currency", "foreign"]
"""What can be wrong in a report."""

MODE_NAMES: tuple[str, ...] = get_args(ModeName)
FAILURES = cast("tuple[Kind, ...]", get_args(Kind)[1:])

DEFAULT_TIMEOUT_MS = 60_000
DEFAULT_LATENCY_MS = 1_000


class Fate(NamedTuple):
    """What becomes of one request; `roll` decides what the kind leaves open (which garbage)."""

    kind: Kind
    roll: int = 0


HAPPY = Fate("happy")


class Mode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /admin/mode`.

    latency_ms: how long `timeout` holds a request (default 60 s), how long `latency` delays it, and how long
        after the failure a charge comes with `charge: after` (default 1 s).
    rate: the share of requests that are hit; the others are served as in `happy`.
    seed: the same seed draws the same fates.
    applies_to: the endpoint whose requests are hit.
    charge: when the request takes effect, seen from the failure.
    report: what is wrong in reports, in a share of `rate` of their lines: one fault, or one of several for each line.
        Without a mode beside it requests are served as in `happy`.
    """

    mode: ModeName | UnsetType = UNSET
    latency_ms: Annotated[int, Meta(ge=0, le=3_600_000)] | None = None
    rate: Annotated[float, Meta(ge=0, le=1)] = 1.0
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[str, Meta(max_length=100)] = 0
    applies_to: Literal[Endpoint, "all"] = "charge"
    charge: Literal["before", "after", "never"] = "never"
    report: Fault | Annotated[list[Fault], Meta(min_length=1)] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.mode is UNSET:
            if self.report is UNSET:
                raise ValueError("mode is required")
            msgspec.structs.force_setattr(self, "mode", "happy")

    def draw(self, endpoint: Endpoint, payment_id: str, attempt: int) -> Fate:
        """The fate of a payment's, or a refund's, `attempt`th request to an endpoint.

        A hash of the seed and the arguments, so neither the clock nor others' requests have a say.
        `random` lets half of the requests be and spreads the rest evenly over the failures.
        """
        if self.mode is UNSET or self.mode == "happy" or self.applies_to not in ("all", endpoint):
            return HAPPY
        drawn = blake2b(f"{self.seed}/{payment_id}/{endpoint}/{attempt}".encode(), digest_size=24).digest()
        share, pick, roll = (int.from_bytes(drawn[at : at + 8], "big") for at in (0, 8, 16))
        if share >= self.rate * 2**64:
            return HAPPY
        if self.mode != "random":
            return Fate(self.mode, roll)
        if pick % 2:
            return HAPPY
        return Fate(FAILURES[pick // 2 % len(FAILURES)], roll)

    def draw_fault(self, line_id: str) -> Fault | None:
        """What is wrong in a report about a charge, or about a refund, by its id: the same in every report."""
        if self.report is UNSET:
            return None
        drawn = blake2b(f"{self.seed}/{line_id}/report".encode(), digest_size=16).digest()
        share, pick = (int.from_bytes(drawn[at : at + 8], "big") for at in (0, 8))
        if share >= self.rate * 2**64:
            return None
        faults = [self.report] if isinstance(self.report, str) else self.report
        return faults[pick % len(faults)]

    def delay_s(self, kind: Kind) -> float:
        """How long a failure of this kind takes, or its late charge is late."""
        default_ms = DEFAULT_TIMEOUT_MS if kind == "timeout" else DEFAULT_LATENCY_MS
        return (default_ms if self.latency_ms is None else self.latency_ms) / 1000
