"""The steps of cashback, from a payment to tokens that are told of, and how somebody is held at each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, NamedTuple

from tests.chain.faults import Fault
from tests.chain.posted import LIMIT_S
from tests.system.crash.generous import Generous
from tests.system.crash.proxy import Then

Reached = Callable[[], None]
"""Waits until somebody has come to the step."""
Hold = Callable[[Generous], AbstractContextManager[Reached]]
"""Holds whoever comes to a step. At the end nothing is held any more, and what was has never been said."""


def before(home: str, pattern: str) -> Hold:
    """Before the database hears that."""

    @contextmanager
    def hold(house: Generous) -> Iterator[Reached]:
        with house.databases[home].trap(pattern, Then.HOLD) as trap:
            yield trap.wait
            trap.drop()

    return hold


def before_the_ack(of: str) -> Hold:
    """Behind what is committed, and before the broker hears of it."""

    @contextmanager
    def hold(house: Generous) -> Iterator[Reached]:
        with house.brokers[of].trap("ack", Then.HOLD) as trap:
            yield trap.wait
            trap.drop()

    return hold


def sending(fault: Fault) -> Hold:
    """As a transaction is sent."""

    @contextmanager
    def hold(house: Generous) -> Iterator[Reached]:
        met = house.between.fault("eth_sendRawTransaction", fault)

        def reached() -> None:
            assert met.wait(LIMIT_S), "nothing is sent"

        yield reached
        house.between.heal()

    return hold


class Step(NamedTuple):
    """Where somebody is held, and what is committed by then of a payment's cashback; None where others go on."""

    who: str
    hold: Hold
    lines: list[str] | None
    """Of the ledger."""
    requests: list[str] | None
    signed: list[tuple[str, ...]] | None
    """Each transaction may be as far as one of these."""


ASKED: Final = ["EARNED", "MINTING"]
STEPS: Final = {
    "rewards, before they commit": Step(
        "rewards", before("rewards", "strongbox-cashback: COMMIT"), [], [], [],
    ),
    "rewards, committed, before the ack": Step("rewards", before_the_ack("rewards"), ASKED, None, None),
    "mint, before it notes the request": Step(
        "mint", before("mint", r"strongbox-mint: \s*INSERT INTO mint.mint_requests"), ASKED, [], [],
    ),
    "mint, noted, before the adapter has answered": Step(
        "mint", sending(Fault.HELD), ASKED, ["REQUESTED"], [("SIGNED",)],
    ),
    "mint, answered, before it commits that": Step(
        "mint", before("mint", r"strongbox-mint: \s*WITH told AS"), ASKED, ["REQUESTED"], [("BROADCAST", "MINED")],
    ),
    "mint, committed, before the ack": Step("mint", before_the_ack("mint"), ASKED, ["SUBMITTED"], None),
    "mint, confirmed, before it commits that": Step(
        "mint", before("mint", r"strongbox-mint: \s*INSERT INTO mint.outbox_events"), ASKED, ["SUBMITTED"],
        [("CONFIRMED",)],
    ),
    "adapter, before it commits what it signs": Step(
        "chain", before("chain", r"strongbox-chain: \s*INSERT INTO chain.blockchain_transactions"), ASKED,
        ["REQUESTED"], [],
    ),
    "adapter, committed, before it sends": Step(
        "chain", sending(Fault.HELD), ASKED, ["REQUESTED"], [("SIGNED",)],
    ),
    "adapter, sent, before it has an answer": Step(
        "chain", sending(Fault.UNANSWERED), ASKED, ["REQUESTED"], [("SIGNED", "MINED")],
    ),
    "adapter, sent, before it commits that": Step(
        "chain", before("chain", r"strongbox-chain: \s*UPDATE chain.blockchain_transactions t\s*SET broadcast_at"),
        ASKED, ["REQUESTED"], [("SIGNED", "MINED")],
    ),
    "adapter, mined, before it commits that": Step(
        "chain", before("chain", r"strongbox-chain: \s*UPDATE chain.blockchain_transactions t\s*SET status"), ASKED,
        None, [("SIGNED", "BROADCAST")],
    ),
}  # fmt: skip
SHORT: Final = (
    "rewards, committed, before the ack",
    "mint, before it notes the request",
    "mint, confirmed, before it commits that",
    "adapter, committed, before it sends",
    "adapter, sent, before it has an answer",
)
"""The others are of the long form."""
