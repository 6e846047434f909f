"""What must be true of the books, the gateway's record and the events, compared with what was answered."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import httpx
import msgspec

from tests.system.soak.fleet import Fleet
from tests.system.soak.listener import Listener
from tests.system.soak.load import Wallet
from tests.system.soak.records import Order

FAILED: Final = [1, 2, 3]
SEQUENCES: Final = {"APPROVED": [1, 2], "DECLINED": FAILED, "FAILED": FAILED}
OUTBOXES: Final = " UNION ALL ".join(
    f"SELECT event_id, sent_at FROM {schema}.outbox_events"
    for schema in ("public", "funds", "catalog", "ordering", "auctions", "rewards")
)
"""All that is published where the listener listens."""
Key = tuple[str, str]


class Books:
    """The books as they stand at the end, read once from outside."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        columns = "id::text, user_id::text, idempotency_key, amount, currency, status"
        self.payments = fleet.query(f"SELECT {columns} FROM payments")
        self.by_key: dict[Key, list[tuple[Any, ...]]] = defaultdict(list)
        for payment in self.payments:
            self.by_key[payment[1], payment[2]].append(payment)
        self.answers: dict[Key, tuple[int | None, bytes | None]] = {
            (user, key): (status, body)
            for user, key, status, body in fleet.query(
                "SELECT user_id::text, key, response_status, response_body FROM idempotency_keys"
            )
        }

    def keys(self, orders: Sequence[Order]) -> Iterator[str]:
        """Each key has one payment, the one that was told of; what was refused left no trace; nothing else is there."""
        known = set()
        for order in orders:
            key = str(order.user_id), order.key
            known.add(key)
            for found in self._order(order, self.by_key.get(key, []), self.answers.get(key)):
                yield f"user {order.user_id}, key {order.key}: {found}"
        for key in (self.by_key.keys() | self.answers.keys()) - known:
            yield f"user {key[0]}, key {key[1]}: nobody asked for it"

    def _order(
        self, order: Order, payments: Sequence[tuple[Any, ...]], stored: tuple[int | None, bytes | None] | None
    ) -> Iterator[str]:
        final = order.final
        if not order.may_exist:
            if payments or stored:
                yield "it was refused, and left a trace"
            return
        if final is None:
            yield "what became of it could not be learned"
            return
        if stored is None or (stored[0], bytes(stored[1] or b"")) != (final.status, final.body):
            yield f"the stored answer is not the one that was sent ({final.status} {final.code})"
        wanted = 0 if final.code == "INSUFFICIENT_FUNDS" else 1
        if len(payments) != wanted:
            yield f"{len(payments)} payments in the books after {final.status} {final.code}"
        for payment_id, _, _, amount, currency, status in payments:
            told = final.code if final.status == 201 else "FAILED"
            if (payment_id, amount, currency, status) != (final.payment_id, order.amount, order.currency, told):
                yield f"payment {payment_id} is {amount} {currency} {status}, answered {final.status} {final.code}"

    def spent(self) -> Counter[Key]:
        """What was paid out of each wallet: user and currency."""
        spent: Counter[Key] = Counter()
        for _, user, _, amount, currency, status in self.payments:
            spent[user, currency] += amount if status == "APPROVED" else 0
        return spent

    def money(self, wallets: Sequence[Wallet], balances: Sequence[int | None], moved: Counter[Key]) -> Iterator[str]:
        """What a wallet held at first, less what was approved, and what else was moved there, is what it holds."""
        spent = self.spent()
        for wallet, balance in zip(wallets, balances, strict=True):
            account = str(wallet.user_id), wallet.currency
            wanted = wallet.initial - spent[account] + moved[account]
            if balance != wanted:
                yield f"wallet {wallet.user_id} {wallet.currency} holds {balance}, not {wanted}"

    def charges(self) -> Iterator[str]:
        """The gateway's record: one standing charge for what is approved, none for the rest, none beyond."""
        listed = httpx.get(f"{self._fleet.gateway_url}/admin/charges", timeout=60).raise_for_status().json()["charges"]
        charges = {charge["payment_id"]: charge for charge in listed}
        for payment_id, _, _, amount, currency, status in self.payments:
            charge = charges.pop(payment_id, None)
            stands = charge is not None and charge["status"] == "APPROVED"
            if stands != (status == "APPROVED"):
                yield f"payment {payment_id} is {status}, its charge {charge['status'] if charge else 'missing'}"
            if charge is not None and charge["charges_made"] > 1:
                yield f"payment {payment_id} was charged {charge['charges_made']} times"
            if stands and charge is not None and (charge["amount"], charge["currency"]) != (amount, currency):
                yield f"payment {payment_id} of {amount} {currency} was charged {charge['amount']} {charge['currency']}"
        for payment_id in charges:
            yield f"the gateway knows payment {payment_id}, the books do not"

    def events(self, listener: Listener) -> Iterator[str]:
        """Published is what was committed, in order; the audit trail has it once; the metrics count it once."""
        committed = {str(row[0]) for row in self._fleet.query(f"SELECT event_id FROM ({OUTBOXES}) o")}
        for name, ids in (("lost", committed - listener.ids), ("never committed", listener.ids - committed)):
            if ids:
                yield f"{len(ids)} events {name}: {sorted(ids)[:5]}"
        trail: dict[str, list[int]] = defaultdict(list)
        of_payments = "SELECT subject::text, sequence FROM audit.events WHERE type !~ %s ORDER BY 1, 2"
        for subject, sequence in self._fleet.query(
            of_payments, "^(transfer|hold|product|order|auction|refund.(requested|completed|refused))"
        ):
            trail[subject].append(sequence)
        for payment_id, *_, status in self.payments:
            if (seen := listener.sequences.get(payment_id, [])) != SEQUENCES.get(status):
                yield f"payment {payment_id}, {status}, was first published as {seen}"
            if (kept := trail.pop(payment_id, [])) != SEQUENCES.get(status):
                yield f"payment {payment_id}, {status}, is in the audit trail as {kept}"
        yield from (f"the audit trail has {subject}, the books do not" for subject in trail)

    def totals(self) -> Iterator[str]:
        """The metrics have counted every event once."""
        wanted: Counter[tuple[str, str]] = Counter()
        for *_, currency, status in self.payments:
            wanted["PENDING", currency] += 1
            wanted[status, currency] += 1
        counted = {(s, c): n for s, c, n in self._fleet.query("SELECT status, currency, count FROM metrics.totals")}
        for what in wanted.keys() | counted.keys():
            if counted.get(what, 0) != wanted[what]:
                yield f"the metrics counted {counted.get(what, 0)} payments as {' '.join(what)}, not {wanted[what]}"


def verified(fleet: Fleet) -> Iterator[str]:
    """What `strongbox verify` finds."""
    try:
        said = fleet.command("verify", "--json")
    except AssertionError as error:
        yield f"strongbox verify: {error}"
        return
    names = {check["name"] for check in msgspec.json.decode(said)["checks"]}
    if not {"charges_match_payments", "refunds_match_the_gateway"} <= names:
        yield "strongbox verify did not compare the gateway's record"


Check = tuple[str, Callable[[], Iterator[str]]]
