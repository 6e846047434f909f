"""What can be asked of the teller, and how the answers are written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.contexts.funds.public import (
    Closed,
    Done,
    Forbidden,
    Funds,
    HoldId,
    HoldRef,
    Part,
    Placement,
    Refused,
)
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId

TENANT: Final = TenantId(UUID(int=1))
CONTEXT: Final = "tests"


async def answer(funds: Funds, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the port says to the question, or that it is not known."""
    try:
        return _told(await _asked(funds, asked))
    except Unavailable as error:
        return {"unavailable": str(error)}


async def _asked(funds: Funds, asked: Mapping[str, Any]) -> Done | Refused | Forbidden | Closed:
    match asked["ask"]:
        case "transfer":
            return await funds.transfer(_operation(asked), TENANT, _user(asked, "from"), _user(asked, "to"), _of(asked))
        case "credit":
            return await funds.credit(_operation(asked), TENANT, _user(asked, "to"), _of(asked))
        case "hold":
            return await funds.hold(_operation(asked), TENANT, _user(asked, "owner"), _of(asked), _end(asked))
        case "holds":
            owner, code = _user(asked, "owner"), _currency(asked)
            members = [Placement(TENANT, owner, Money(amount, code), None) for amount in asked["amounts"]]
            return await funds.together(_operation(asked), members)
        case "resize":
            return await funds.resize(_operation(asked), _hold(asked), asked["amount"])
        case "capture":
            parts = [Part(UserId(UUID(user)), amount) for user, amount in asked["parts"]]
            return await funds.capture(_hold(asked), parts)
        case "release":
            return await funds.release(_hold(asked))
        case "forbid":
            return await funds.forbid(_operation(asked))
        case other:
            raise ValueError(f"nobody can ask for {other}")


def _told(outcome: Done | Refused | Forbidden | Closed) -> dict[str, Any]:
    match outcome:
        case Done(ids):
            return {"done": [*map(str, ids)]}
        case Closed(captured, released):
            return {"captured": captured, "released": released}
        case Refused(refusal):
            return {"refused": refusal.code}
        case Forbidden():
            return {"forbidden": True}


def _operation(asked: Mapping[str, Any]) -> OperationId:
    return OperationId(CONTEXT, UUID(asked["business"]), asked.get("name", "step"))


def _user(asked: Mapping[str, Any], member: str) -> UserId:
    return UserId(UUID(asked[member]))


def _currency(asked: Mapping[str, Any]) -> Currency:
    return Currency(asked.get("currency", "USD"))


def _of(asked: Mapping[str, Any]) -> Money:
    return Money(asked["amount"], _currency(asked))


def _hold(asked: Mapping[str, Any]) -> HoldRef:
    return HoldRef(_user(asked, "owner"), _currency(asked), HoldId(UUID(asked["hold"])))


def _end(asked: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(asked["until"]) if asked.get("until") else None
