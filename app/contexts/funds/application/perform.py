"""Perform operations of other contexts: transfers, holds, other amounts for holds, credits; each once."""

from collections.abc import Sequence
from uuid import UUID

from app.contexts.funds.application.books import ClaimedOperations, FundsBooks, OperationRecord
from app.contexts.funds.application.till import Till
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.operation import (
    Credit,
    Member,
    Operation,
    Placement,
    Resize,
    Transfer,
)
from app.contexts.funds.domain.refusals import ForbiddenOperation, InsufficientFunds, OperationReused
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.contexts.funds.public import Done, Forbidden, Outcome, Refused
from app.kernel.new_ids import Ids
from app.kernel.operation_id import OperationId
from app.kernel.refusals import Refusal


class Perform:
    """Performs a batch of operations in one transaction.

    A refusal is an outcome: stored, and the same for good. Running a batch again with the same operations is safe,
    whatever became of it the first time.
    """

    def __init__(self, books: FundsBooks, ids: Ids) -> None:
        self._books = books
        self._ids = ids

    async def __call__(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        firsts: dict[OperationId, Operation] = {}
        for operation in operations:
            firsts.setdefault(operation.id, operation)
        async with self._books.begin() as work:
            claimed = await work.claim_operations(list(firsts.values()))
            till = Till(claimed.locked, self._ids)
            results = {of: self._decide(operation, claimed, till) for of, operation in firsts.items()}
            await work.commit(till.settled())
        return [self._of(operation, firsts[operation.id], results[operation.id], claimed) for operation in operations]

    def _of(self, operation: Operation, first: Operation, result: Outcome, claimed: ClaimedOperations) -> Outcome:
        """The outcome for one that may stand behind another of the same id."""
        if operation is first:
            return result
        record = claimed.records.get(operation.id) or OperationRecord(first.fingerprint, result)
        return recorded(operation, record)

    def _decide(self, operation: Operation, claimed: ClaimedOperations, till: Till) -> Outcome:
        record = claimed.records.get(operation.id)
        if record is not None:
            return recorded(operation, record)
        outcome: Outcome
        try:
            with till.all_or_none():
                outcome = Done(tuple([self._do(member, operation.id, till) for member in operation.members]))
        except InsufficientFunds as refusal:
            outcome = Refused(_missing_for_all(operation, refusal, till))
        except Refusal as refusal:
            outcome = Refused(refusal)
        till.changes.outcomes[operation.id] = outcome
        return outcome

    def _do(self, member: Member, operation: OperationId, till: Till) -> UUID:
        """The id of what the member made or changed."""
        match member:
            case Transfer(tenant_id, sender, recipient, money):
                made = TransferId(self._ids())
                transfer = CompletedTransfer(made, tenant_id, sender, recipient, money, till.moment())
                till.transfer(transfer, operation.business_id)
                return made
            case Credit(tenant_id, recipient, money):
                made = TransferId(self._ids())
                credit = CompletedTransfer(made, tenant_id, None, recipient, money, till.moment())
                till.pay_in(credit, None, operation.business_id)
                return made
            case Placement():
                return till.place(member, operation).id
            case Resize(hold, amount_minor):
                return till.resize(hold, amount_minor).id


def _missing_for_all(operation: Operation, refusal: InsufficientFunds, till: Till) -> InsufficientFunds:
    """Of several that are done together, what the wallet holds before the first, and what all of them take out of it:
    what it would have held by the one that failed tells nobody how much is missing.
    """
    taken = [
        member.money.amount_minor
        for member in operation.members
        if isinstance(member, Placement | Transfer) and member.money.currency == refusal.currency
    ]
    if len(operation.members) == 1 or len(taken) < len(operation.members):
        return refusal
    wallet = till.wallet(operation.owner, refusal.currency)
    return InsufficientFunds(refusal.currency, wallet.balance_minor, sum(taken))


def recorded(operation: Operation, record: OperationRecord) -> Outcome:
    """What an operation gets that there is a record of."""
    if isinstance(record.outcome, Forbidden):
        return Refused(ForbiddenOperation())
    return record.outcome if record.fingerprint == operation.fingerprint else Refused(OperationReused())
