"""A day of an office: a bill is paid and partly refunded, wages go out, books are drawn, a shop is told of it."""

import os
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from strongbox_client import Client, Machine, TransferOrder

SONG, PROVIDER = "a line of a song", "0190c7a0-0000-7000-8000-00000000000a"
EVE, FAY = (f"{name}_{token_hex(3)}" for name in ("eve", "fay"))  # who is not there yet, however often this runs
with Client(os.environ.get("STRONGBOX_URL", "http://127.0.0.1:8080")) as strongbox:
    office = strongbox.acting_as(Machine(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]))
    eve = strongbox.auth.register(email=f"{EVE}@office.example", password=SONG, username=EVE)
    strongbox.auth.register(email=f"{FAY}@office.example", password=SONG, username=FAY)
    began = datetime.now(UTC) - timedelta(minutes=1)
    office.wallet.receive(user_id=eve.user_id, amount=10_000, currency="USD", reference=f"opening of {EVE}")
    hook = office.webhooks.add(url="https://shop.example/hook", types=["payment.*", "refund.*"])
    payment = office.payments.pay(
        user_id=eve.user_id, provider_id=PROVIDER, external_reference="bill 7", amount=1250, currency="USD", key=EVE
    )
    refund = office.payments.refund(payment.payment_id, amount=250, reason="a broken cup", key=f"cup-of-{EVE}")
    wages = [TransferOrder(to=FAY, amount=300, currency="USD", note=f"week {week}") for week in (47, 48)]
    bulk = office.wallet.send_bulk(transfers=wages, mode="all", from_=eve.user_id, key=f"wages-of-{EVE}")
    books = office.wallet.statement_of(eve.user_id, currency="USD", from_=began, to=datetime.now(UTC))
    for line in books.lines:
        print(line.kind, line.amount, line.currency)
    print(refund.status, bulk.completed, books.opening, books.closing, hook.status)
    office.webhooks.remove(hook.webhook_id)
