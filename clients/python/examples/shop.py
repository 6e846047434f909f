"""A day of a shop: money comes in, a kettle is sold, paid for and shipped, a friend is paid back."""

import os
from secrets import token_hex

from strongbox_client import Client, Machine, Password

SONG = "a line of a song"
GUS, ANN = (f"{name}_{token_hex(3)}" for name in ("gus", "ann"))  # who is not there yet, however often this runs
with Client(os.environ.get("STRONGBOX_URL", "http://127.0.0.1:8080")) as strongbox:
    till = strongbox.acting_as(Machine(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]))
    gus = strongbox.auth.register(email=f"{GUS}@shop.example", password=SONG, username=GUS, role="seller")
    ann = strongbox.auth.register(email=f"{ANN}@shop.example", password=SONG, username=ANN)
    seller, buyer = (strongbox.acting_as(Password(f"{name}@shop.example", SONG)) for name in (GUS, ANN))
    till.wallet.receive(user_id=ann.user_id, amount=10_000, currency="USD", reference=f"opening of {ANN}")
    seller.products.add(title="Enamel kettle", condition="new", price=2500, currency="USD", quantity=2)
    (kettle, *_) = strongbox.products.list(q="enamel kettle", seller=gus.user_id, in_stock=True)
    cart = buyer.cart.put(product_id=kettle.product_id, qty=1)
    (order,) = buyer.orders.check_out(expected_total=cart.total, key=f"cart {cart.cart_id}".replace(" ", "-")).orders
    seller.orders.ship(order.order_id, tracking="1Z 999")
    buyer.orders.complete(order.order_id)
    buyer.wallet.send(to=GUS, amount=300, currency="USD", note="for the tea")
    for line in seller.wallet.transactions():
        print(line.kind, line.amount, line.currency, line.counterparty and line.counterparty.username, line.note)
