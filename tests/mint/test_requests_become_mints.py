"""From what is asked for to tokens on the chain: what is written, what is told, and who is asked how often."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.chain.public import InvalidMint, MintStatus
from app.main.local.roles import Urls
from app.platform.messaging.received_events import Malformed
from tests.mint.ledger import Ledger, hash_of
from tests.mint.minting import TENANT, TRACE, Minting, request, types, working
from tests.platform.outbox_fixtures import eventually, query
from tests.system.documents import ROOT


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def minting(database: Urls, ledger: Ledger) -> AsyncIterator[Minting]:
    minting = Minting(database, ledger)
    yield minting
    await minting.close()


async def test_what_is_asked_for_is_minted_and_told_once_it_is_confirmed(minting: Minting, ledger: Ledger) -> None:
    ledger.confirms = False
    asked = request(address="0x" + "AB" * 20, amount=str(2**256 - 1))
    await minting.hear(asked.document())
    assert minting.rows("status, amount::text, address") == [("SUBMITTED", str(2**256 - 1), "0x" + "ab" * 20)]
    for status in (
        MintStatus.MINED,
        MintStatus.BROADCAST,
        MintStatus.MINED,
    ):  # a reorg takes it back, and it comes again
        ledger.becomes(asked.request_id, status)
        await minting.pursue()
        assert (minting.rows(), minting.told()) == ([("SUBMITTED",)], [])
    ledger.becomes(asked.request_id, MintStatus.CONFIRMED)
    await minting.pursue()
    await minting.pursue()
    tx_hash = hash_of(ledger.mints[asked.request_id].order)
    assert minting.rows("status, tx_hash, ask_after") == [("MINTED", tx_hash, None)]
    (event,) = minting.told()
    assert (event["type"], event["subject"], event["sequence"]) == ("mint.completed", str(asked.entry_id), 1)
    assert (event["tenantid"], event["traceparent"]) == (str(TENANT), TRACE)
    assert event["data"] == {
        "request_id": str(asked.request_id),
        "entry_id": str(asked.entry_id),
        "user_id": str(asked.user_id),
        "amount": str(2**256 - 1),
        "tx_hash": tx_hash,
    }
    assert query(minting.url, "SELECT user_id, tenant_id FROM mint.outbox_events") == [(asked.user_id, TENANT)]
    assert ledger.asked("mint") == 1


async def test_what_comes_twice_is_minted_once(minting: Minting, ledger: Ledger) -> None:
    asked, event_id = request(), uuid4()
    for _ in range(2):
        await minting.hear(asked.document(event_id), asked.document(event_id), asked.document())
    assert (minting.rows(), ledger.asked("mint")) == ([("SUBMITTED",)], 1)
    await minting.pursue()
    await minting.hear(asked.document(event_id))
    assert (minting.rows(), types(minting.told())) == ([("MINTED",)], ["mint.completed"])
    assert minting.heard() == 3


async def test_an_answer_that_is_lost_is_asked_for_and_not_guessed(minting: Minting, ledger: Ledger) -> None:
    asked = request()
    ledger.loses_answers, ledger.confirms = True, False
    with pytest.raises(ConnectionError):
        await minting.hear(asked.document())
    assert (minting.rows(), minting.heard()) == ([("REQUESTED",)], 0)
    await minting.hear(asked.document())
    assert [name for name, _ in ledger.calls] == ["mint", "get_mint"]
    assert (minting.rows(), minting.heard()) == ([("SUBMITTED",)], 1)


async def test_what_the_chain_does_not_know_is_asked_for_again_and_never_failed(
    minting: Minting, ledger: Ledger
) -> None:
    asked = request()
    ledger.loses_questions = True
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await minting.hear(asked.document())
    ledger.loses_questions, ledger.confirms = False, False
    await minting.hear(asked.document())
    assert [name for name, _ in ledger.calls] == ["mint", "get_mint", "mint", "get_mint", "mint"]
    assert minting.rows() == [("SUBMITTED",)]
    ledger.mints.clear()  # its database is lost, and nothing of it was ever sent
    await minting.pursue()
    assert (minting.rows(), ledger.asked("mint")) == ([("SUBMITTED",)], 4)


async def test_whoever_dies_after_noting_it_leaves_it_to_others(minting: Minting, ledger: Ledger) -> None:
    """The message may be gone as well, to the dead letters."""
    ledger.loses_answers = True
    with pytest.raises(ConnectionError):
        await minting.hear(request().document())
    ledger.loses_answers = False
    await minting.pursue()
    assert (minting.rows(), ledger.asked("mint")) == ([("MINTED",)], 1)


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [(InvalidMint("amount"), "INVALID_MINT"), (None, "REQUEST_REUSED")],
    ids=["never signed", "known with something else"],
)
async def test_what_the_chain_refuses_has_failed_honestly(
    minting: Minting, ledger: Ledger, refusal: InvalidMint | None, reason: str
) -> None:
    asked = request()
    if refusal is None:
        await ledger.mint(request(amount="1").order(asked.request_id), 1.0)
    ledger.refuses = refusal
    await minting.hear(asked.document())
    assert minting.rows("status, reason") == [("FAILED", reason)]
    (event,) = minting.told()
    assert (event["type"], event["data"]["reason"]) == ("mint.failed", reason)


async def test_after_a_failure_the_entry_is_asked_for_again_and_not_before(minting: Minting, ledger: Ledger) -> None:
    ledger.confirms = False
    first = request()
    await minting.hear(first.document())
    with pytest.raises(Exception, match="mint_requests_one_an_entry"):
        await minting.hear(first.again().document())
    ledger.becomes(first.request_id, MintStatus.FAILED, "REVERTED")
    await minting.pursue()
    ledger.confirms = True
    await minting.hear(first.again().document())
    await minting.pursue()
    assert minting.rows("place, status, reason") == [(1, "FAILED", "REVERTED"), (2, "MINTED", None)]
    assert [(event["type"], event["sequence"]) for event in minting.told()] == [
        ("mint.failed", 1),
        ("mint.completed", 2),
    ]


async def test_a_confirmed_mint_of_something_else_is_no_mint_of_ours(minting: Minting, ledger: Ledger) -> None:
    asked = request()
    ledger.loses_questions = True
    with pytest.raises(ConnectionError):
        await minting.hear(asked.document())
    ledger.loses_questions = False
    await ledger.mint(request(amount="7").order(asked.request_id), 1.0)
    await minting.hear(asked.document())
    assert minting.rows("status, reason") == [("FAILED", "REQUEST_REUSED")]


@pytest.mark.parametrize(
    "data",
    [
        {"amount": "0"}, {"amount": 5}, {"amount": "-5"}, {"amount": "1.0"}, {"amount": str(2**256)},
        {"address": "0x12"}, {"address": "ab" * 20}, {"request_id": "x"}, {"entry_id": None}, {"user_id": 7},
    ],
    ids=json.dumps,
)  # fmt: skip
async def test_what_could_never_be_is_the_messages_fault(
    minting: Minting, ledger: Ledger, data: dict[str, Any]
) -> None:
    with pytest.raises(Malformed, match=next(iter(data))):
        await minting.hear(request().document(**data))
    assert (minting.rows(), ledger.calls) == ([], [])


async def test_a_trace_that_is_none_costs_nobody_their_tokens(minting: Minting) -> None:
    await minting.hear(request().document().replace(TRACE.encode(), b"\\u0000"))
    assert minting.rows("traceparent") == [(None,)]


async def test_a_request_that_is_known_with_something_else_is_the_messages_fault(minting: Minting) -> None:
    asked = request()
    await minting.hear(asked.document())
    others: list[dict[str, Any]] = [{"amount": "1"}, {"address": "0x" + "cd" * 20}, {"entry_id": str(uuid4())}]
    for other in others:
        with pytest.raises(Malformed, match="request_id is known with something else"):
            await minting.hear(asked.document(**other))


async def test_events_of_other_types_have_no_effect(minting: Minting) -> None:
    await minting.hear(request().document().replace(b"mint.requested", b"cashback.earned"))
    assert minting.rows() == []


async def test_one_who_comes_late_with_an_answer_changes_nothing(minting: Minting, ledger: Ledger) -> None:
    """Two that pursue at once: one of them ends it, and one event tells so."""
    asked = [request() for _ in range(20)]
    await minting.hear(*(each.document() for each in asked))
    others = [Minting(Urls(minting.url, minting.url), ledger) for _ in range(3)]
    query(minting.url, "UPDATE mint.mint_requests SET ask_after = now()")
    due = await minting.container.pursuing_requests().due(256, 0.0)
    outcomes = await minting.container.ask()(due)
    ends = await asyncio.gather(*(other.container.pursuing_requests().conclude(outcomes) for other in others))
    assert sorted(map(len, ends)) == [0, 0, 20]
    assert len(minting.told()) == 20
    for other in others:
        await other.close()


async def test_in_the_relays_process_it_is_noted_first_and_asked_for_by_the_way(
    minting: Minting, ledger: Ledger
) -> None:
    ledger.is_away = True
    async with working(minting, in_process=True) as handle:
        await handle([request().document(), request().document()])
        assert (minting.rows(), minting.heard()) == ([("REQUESTED",)] * 2, 2)
        ledger.is_away = False
        await eventually(lambda: minting.rows() == [("MINTED",)] * 2)
    assert types(minting.told()) == ["mint.completed"] * 2


async def test_without_a_chain_to_ask_it_is_noted_there(database: Urls, ledger: Ledger) -> None:
    minting = Minting(database, ledger, CHAIN_GRPC_URL="")
    async with working(minting, in_process=True) as handle:
        await handle([request().document()])
    assert (minting.rows(), ledger.calls) == ([("REQUESTED",)], [])


async def test_its_events_are_of_their_schemas(minting: Minting, ledger: Ledger) -> None:
    await minting.hear(request().document())
    await minting.pursue()
    ledger.refuses = InvalidMint("amount")
    await minting.hear(request().document())
    for event in minting.told():
        name = event["dataschema"].split(":")[-2]
        schema = json.loads((ROOT / f"docs/mint/schemas/{name}.1.json").read_text())
        assert schema["$id"] == event["dataschema"]
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(event["data"])
        assert set(event["data"]) == set(schema["properties"]) == set(schema["required"])
    assert types(minting.told()) == ["mint.completed", "mint.failed"]
