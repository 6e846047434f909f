"""Forbid operations: what has not happened never will."""

from collections.abc import Sequence

from app.contexts.funds.application.books import Prohibitions
from app.contexts.funds.public import Done, Forbidden, Refused
from app.kernel.operation_id import OperationId


class Forbid:
    """Forbids a batch of operations in one transaction. Those that have happened keep their outcome."""

    def __init__(self, prohibitions: Prohibitions) -> None:
        self._prohibitions = prohibitions

    async def __call__(self, operations: Sequence[OperationId]) -> Sequence[Done | Refused | Forbidden]:
        records = await self._prohibitions.forbid(list(dict.fromkeys(operations)))
        return [records[operation].outcome for operation in operations]
