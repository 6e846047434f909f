"""Find dead letters, put them back into their queues, drop them, make one: each recorded before it begins."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from app.platform.messaging.dead_letter_ports import DeadLetter, DeadLetters
from app.platform.operations.actions import ActionLog, Actions, recorded
from app.platform.process.progress import HowFar

BURIED_WITHIN_S = 30.0
"""How long a consumer gets to do what is ordered: it looks for orders every few seconds, if the message is stuck."""
_LOOK_EVERY_S = 0.5
_NEWEST = 100


class NotBuried(Exception):  # noqa: N818 -- it says what did not happen
    """No consumer has put the message aside."""


class DeadLetterNotFound(Exception):  # noqa: N818 -- it says what is not there
    """No dead letter has the id."""


async def find(letters: DeadLetters, queues: Sequence[str], id: str) -> Sequence[DeadLetter]:
    """The dead letters with the id: several consumers may have given up the same message.

    Raises:
        DeadLetterNotFound: none of the queues has it, as far as can be seen.
        Unavailable: the broker is out of reach.
    """
    found = [letter for queue in queues for letter in await letters.look(queue) if letter.id == id]
    if not found:
        raise DeadLetterNotFound(await _missing(letters, queues, [id]))
    return found


async def redrive(
    letters: DeadLetters, actions: Actions, queues: Sequence[str], ids: Collection[str]
) -> Mapping[str, int]:
    """Put the dead letters with the ids back; how many went into each queue.

    Raises:
        DeadLetterNotFound: some of the ids were not there; the others are put back.
        NotRecorded: see `recorded`.
        Unavailable: the broker is out of reach; what was put back is, and it can be done again.
    """
    missing, moved = set(ids), dict.fromkeys(queues, 0)
    async with recorded(actions, "dlq redrive", {"queues": queues, "messages": sorted(missing)}) as outcome:
        outcome["redriven"] = moved
        for queue in queues:
            put_back = await letters.redrive(queue, ids)
            moved[queue] = len(put_back)
            missing.difference_update(put_back)
    if missing:
        raise DeadLetterNotFound(await _missing(letters, queues, missing))
    return moved


async def redrive_all(
    letters: DeadLetters, actions: Actions, queues: Sequence[str], progress: HowFar, stop: asyncio.Event
) -> Mapping[str, int]:
    """Put all dead letters of the queues back, until told to stop; how many went into each queue.

    Raises:
        NotRecorded: see `recorded`.
        Unavailable: the broker is out of reach; what was put back is, and it can be done again.
    """
    async with recorded(actions, "dlq redrive", {"queues": queues, "messages": "all"}) as outcome:
        outcome["redriven"] = moved = dict.fromkeys(queues, 0)
        for queue in queues:
            moved[queue] = await letters.redrive_all(queue, progress, stop)
        outcome["stopped"] = stop.is_set()
    return moved


async def drop(letters: DeadLetters, actions: Actions, letter: DeadLetter) -> None:
    """Remove the dead letter for good. What it was stays in the record, its body as a digest.

    Raises:
        DeadLetterNotFound: it is not there any more.
        NotRecorded: see `recorded`.
        Unavailable: the broker is out of reach.
    """
    what = {"type": letter.type, "reason": letter.reason, "body_sha256": sha256(letter.body).hexdigest()}
    async with recorded(actions, "dlq drop", {"queue": letter.queue, "messages": [letter.id], **what}) as outcome:
        dropped = await letters.drop(letter.queue, [letter.id])
        outcome["dropped"] = len(dropped)
    if not dropped:
        raise DeadLetterNotFound(await _missing(letters, [letter.queue], [letter.id]))


async def bury(actions: Actions, log: ActionLog, queue: str, id: str, within_s: float = BURIED_WITHIN_S) -> None:
    """Have the consumer that holds the message as stuck put it among the queue's dead letters.

    The order is the action's row: it stands until it is carried out, or withdrawn by the action's end.

    Raises:
        NotBuried: nobody has carried it out in that time; it is withdrawn.
        NotRecorded: see `recorded`.
        Unavailable: the record is out of reach.
    """
    async with recorded(actions, "dlq bury", {"queue": queue, "messages": [id]}) as outcome:
        try:
            async with asyncio.timeout(within_s):
                while not await _carried_out(log, outcome["began_as"]):  # noqa: ASYNC110 -- no event tells
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            raise NotBuried(
                f"no consumer of {queue} holds the message {id} as stuck (waited {within_s:.0f} s): nothing was done"
            ) from None
        outcome["buried"] = 1


async def _carried_out(log: ActionLog, order: object) -> bool:
    return any(
        action.details.get("phase") == "buried" and action.details.get("began_as") == order
        for action in await log.newest(None, _NEWEST)
    )


async def _missing(letters: DeadLetters, queues: Sequence[str], ids: Collection[str]) -> str:
    text = f"there is no dead letter {', '.join(sorted(ids))}"
    long = [queue for queue, count in (await letters.counts(queues)).items() if count > letters.window]
    if long:
        text += f" among the first {letters.window:,} of {', '.join(long)}: redrive or drop some of those first"
    return text
