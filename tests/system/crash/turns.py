"""What befalls whoever takes part in cashback, by turns: each is done, lasts for a while, and is healed."""

import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from app.platform.process.processes import free_port
from tests.chain.faults import Fault
from tests.system.crash.booked import HOMES
from tests.system.crash.generous import Generous

Turn = Callable[[Generous, float], None]
"""For so many seconds."""
GWEI: Final = 10**9
LONGEST_S: Final = 2.0


def dies(name: str) -> Turn:
    """A process is killed, and begun again."""

    def turn(house: Generous, lasts_s: float) -> None:
        house.kill(name)
        time.sleep(lasts_s)
        house.begin(name)

    return turn


def sleeps(name: str) -> Turn:
    """A process is stopped in its tracks, and wakes up."""

    def turn(house: Generous, lasts_s: float) -> None:
        with house.paused(name):
            time.sleep(lasts_s)

    return turn


def is_closed(home: str) -> Turn:
    """A database takes no sessions."""

    def turn(house: Generous, lasts_s: float) -> None:
        with house.closed(home):
            time.sleep(lasts_s)

    return turn


def of_sending(fault: Fault) -> Turn:
    """What is sent to the node comes to grief."""

    def turn(house: Generous, lasts_s: float) -> None:
        house.between.fault("eth_sendRawTransaction", fault)
        time.sleep(lasts_s)
        house.between.heal()

    return turn


def node_dies(house: Generous, lasts_s: float) -> None:
    """The node is killed, and started with its state."""
    house.node.kill()
    time.sleep(lasts_s)
    house.node.start()


def node_freezes(house: Generous, lasts_s: float) -> None:
    """The node takes connections, and answers nothing."""
    house.node.freeze()
    time.sleep(lasts_s)
    house.node.thaw()


def nobody_may_mint(house: Generous, lasts_s: float) -> None:
    """The contract refuses what our key asks for."""
    house.have_minted(house.owner.address)
    time.sleep(lasts_s)
    house.have_minted(house.key)


def three_blocks_are_others(house: Generous, _: float) -> None:
    """A reorganisation. What it takes of the owner's nobody but he sends again."""
    house.node.reorg(3)
    house.have_minted(house.key)


def two_adapters(house: Generous, lasts_s: float) -> None:
    """Another adapter works with the same key, and dies."""
    house.begin("chain2", CHAIN_GRPC_PORT=str(free_port()))
    time.sleep(lasts_s)
    house.kill("chain2")


TURNS: Final[Mapping[str, Turn]] = {
    **{f"{name} dies": dies(name) for name in Generous.parts},
    **{f"{name} sleeps": sleeps(name) for name in Generous.parts},
    **{f"the database of {home} is closed": is_closed(home) for home in HOMES},
    "postgresql dies": lambda house, _: house.kill_postgresql(),
    "rabbitmq dies": lambda house, _: house.kill_rabbitmq(),
    "the node dies": node_dies,
    "the node freezes": node_freezes,
    "answers to what is sent are lost": of_sending(Fault.LOST),
    "the node takes nothing": of_sending(Fault.REFUSED),
    "three blocks are others": three_blocks_are_others,
    "the node forgets": lambda house, _: house.node.forget(),
    "fees rise": lambda house, _: house.node.raise_base_fee(100 * GWEI),
    "nobody may mint": nobody_may_mint,
    "there are two adapters": two_adapters,
}


def plan(seed: int, length: int) -> list[tuple[str, float]]:
    """So many turns, and how long each lasts: by the seed alone. None comes again before all have come."""
    by = Random(seed)
    names: list[str] = []
    while len(names) < length:
        names += by.sample([*TURNS], len(TURNS))
    return [(name, by.uniform(0, LONGEST_S)) for name in names[:length]]
