"""Whose turn it is: eight at a time of an endpoint, one of a subject, and fewer where nobody is there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import uuid4

from app.contexts.webhooks.application.sending import Claim, Ended, Sending
from app.contexts.webhooks.domain.delivery import Error
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.principal import TenantId
from tests.platform.peers import Peer, closed_port, serving
from tests.webhooks.office import Office, Received, Stranger, event, lane, until


async def test_when_nobody_is_there_it_is_tried_less_and_less_and_waiting_is_no_attempt(office: Office) -> None:
    endpoint, _ = await office.endpoint(f"http://127.0.0.1:{closed_port()}")
    await office.hear(*(event() for _ in range(40)))
    async with office.sending():
        await until(lambda: lane(office, endpoint.id)[2] is not None, "the breaker to open")
        await asyncio.sleep(0.2)
    found = await office.deliveries(endpoint)
    tried = [one for one in found if one.attempts]
    assert len(tried) <= 16, "the rest waits"
    assert {one.last_error for one in tried} == {Error.CONNECTION.value}


async def test_when_somebody_is_there_again_all_of_it_is_sent(office: Office) -> None:
    stranger = Stranger()
    async with serving(stranger) as server:
        endpoint, _ = await office.endpoint(server.url)
        office.query(
            "UPDATE webhooks.lanes SET strikes = 9, open_until = now() - interval '1 s' WHERE endpoint_id = %s",
            endpoint.id,
        )
        await office.hear(*(event() for _ in range(40)))
        async with office.sending():
            await office.sent(endpoint, 40)
    assert lane(office, endpoint.id)[1:3] == (0, None)


async def test_no_more_than_eight_are_called_at_once_over_all_senders(office: Office) -> None:
    are_eight = asyncio.Event()

    async def slowly(peer: Peer, _: Received) -> None:
        if stranger.at_once >= 8:
            are_eight.set()
        await are_eight.wait()
        await asyncio.sleep(0.05)
        await peer.answer(200)

    stranger = Stranger(slowly)
    async with serving(stranger) as server:
        endpoint, _ = await office.endpoint(server.url)
        await office.hear(*(event() for _ in range(120)))
        async with office.sending(*(office.sender() for _ in range(4))):
            await office.sent(endpoint, 120)
    assert stranger.most_at_once == 8
    assert len(stranger.got) == len(set(stranger.ids())) == 120, "each once"


async def test_events_of_a_subject_are_sent_in_their_order_one_at_a_time(office: Office) -> None:
    now: dict[str, int] = {}

    async def watching(peer: Peer, received: Received) -> None:
        subject = received.event["subject"]
        now[subject] = now.get(subject, 0) + 1
        assert now[subject] == 1, "two at a time"
        await asyncio.sleep(0.01)
        now[subject] -= 1
        await peer.answer(200)

    stranger, subjects = Stranger(watching), [uuid4() for _ in range(10)]
    async with serving(stranger) as server:
        endpoint, _ = await office.endpoint(server.url)
        for sequence in range(1, 6):
            await office.hear(*(event(subject=one, sequence=sequence) for one in subjects))
        async with office.sending(office.sender(), office.sender()):
            await office.sent(endpoint, 50)
    for subject in subjects:
        assert [one.event["sequence"] for one in stranger.got if one.event["subject"] == str(subject)] == [
            1,
            2,
            3,
            4,
            5,
        ]


async def test_what_waits_for_a_retry_holds_up_no_later_event_of_its_subject(office: Office) -> None:
    async def but_the_first(peer: Peer, received: Received) -> None:
        await peer.answer(500 if received.event["sequence"] == 1 else 200)

    stranger, subject = Stranger(but_the_first), uuid4()
    async with serving(stranger) as server, office.sending():
        endpoint, _ = await office.endpoint(server.url)
        await office.hear(*(event(subject=subject, sequence=sequence) for sequence in (1, 2, 3)))
        await office.sent(endpoint, 2)
    assert [one.event["sequence"] for one in stranger.got[:3]] == [1, 2, 3]  # behind them a retry may have had its time


async def test_what_is_wrong_with_one_tenant_holds_up_no_other(office: Office) -> None:
    """Neither its claims nor what became of its attempts."""
    stranger = Stranger()
    async with serving(stranger) as server:
        wrong, _ = await office.endpoint(server.url)
        right, _ = await office.endpoint(server.url, tenant=office.other_tenant)
        sender = office.sender()
        claim, record = sender._sending.claim, sender._record

        async def claim_of(tenant_id: TenantId, most: int) -> Sequence[Claim]:
            if tenant_id == wrong.tenant_id and not claims:
                claims.append(tenant_id)
                raise ValueError
            return await claim(tenant_id, most)

        async def record_of(tenant_id: TenantId, ended: Sequence[Ended]) -> Mapping[EndpointId, Reason]:
            if tenant_id == wrong.tenant_id and len(records) < 3:
                records.append(tenant_id)
                raise ValueError
            return await record(tenant_id, ended)

        claims, records = list[TenantId](), list[TenantId]()
        sender._sending = _Sending(sender._sending, claim_of)  # type: ignore[assignment] # all that is asked of it
        sender._record = record_of
        async with office.sending(sender):
            await office.happen()
            await office.happen(tenant=office.other_tenant)
            await office.sent(right)
            await office.sent(wrong)
    assert (len(claims), len(records)) == (1, 3)
    assert len(stranger.got) == 2


class _Sending:
    """The same, with another way to claim."""

    def __init__(self, sending: Sending, claim: Callable[[TenantId, int], Awaitable[Sequence[Claim]]]) -> None:
        self.due = sending.due
        self.claim = claim
