"""Sending and paying in under idempotency keys: the answer is stored in the transaction that moves the money."""

import pytest

from app.contexts.funds.application.fund import Funded
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.refusals import ReferenceReused
from app.kernel.money import MAX_MINOR
from app.platform.idempotency.keys import Answered
from app.platform.process.uuid7 import uuid7
from tests.builders import EUR, money, user_id
from tests.funds.moving import Books, codes, receive_request, send_request


async def test_what_is_sent_arrives_with_its_note(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    request = send_request(ada, bob, 30, note="for the concert")
    (result,) = await books.send([request])
    assert isinstance(result, Answered)
    assert (result.answer.status, result.replayed) == (201, False)
    assert (await books.stands(ada), await books.stands(bob)) == ((70, 0), (30, 0))
    legs = "SELECT kind, note, business_id FROM transactions WHERE id = %s ORDER BY kind"
    assert await books.all(legs, request.transfer_id) == [
        ("TRANSFER_IN", "for the concert", None),
        ("TRANSFER_OUT", "for the concert", None),
    ]
    told = "SELECT payload::text FROM funds.outbox_events WHERE subject = %s"
    ((document,),) = await books.all(told, request.transfer_id)
    assert "concert" not in document


async def test_the_same_key_gets_the_same_bytes_and_another_request_is_refused(books: Books) -> None:
    ada, bob = await books.user(100), await books.user()
    request = send_request(ada, bob, 30)
    (first,) = await books.send([request])
    again = request._replace(transfer_id=TransferId(uuid7()))
    other = again._replace(fingerprint=b"another")
    assert isinstance(first, Answered)
    assert await books.send([again]) == [Answered(first.answer, replayed=True)]
    assert codes(await books.send([other])) == ["KeyReused"]
    fresh = again._replace(scope=(ada, "fresh"))
    one, two, three = await books.send([fresh, fresh._replace(), fresh._replace(fingerprint=b"another")])
    assert isinstance(one, Answered)
    assert (two, codes([three])) == (Answered(one.answer, replayed=True), ["KeyReused"])
    assert await books.stands(ada) == (40, 0)


async def test_a_refusal_is_stored_and_a_sender_without_a_wallet_leaves_no_trace(books: Books) -> None:
    ada, bob = await books.user(20), await books.user()
    poor, elsewhere = send_request(ada, bob, 30), send_request(ada, bob, 5, money=money(5, EUR))
    stored, not_found = await books.send([poor, elsewhere])
    assert isinstance(stored, Answered)
    assert (stored.answer.body, codes([not_found])) == (b"INSUFFICIENT_FUNDS", ["WalletNotFound"])
    await books.fund(ada, money(100), None)
    assert await books.send([poor]) == [Answered(stored.answer, replayed=True)]
    await books.fund(ada, money(100, EUR), None)
    (sent,) = await books.send([elsewhere])
    assert isinstance(sent, Answered)
    assert sent.answer.status == 201


async def test_nobody_is_sent_more_than_fits(books: Books) -> None:
    ada, rich = await books.user(20), await books.user(MAX_MINOR - 9)
    (refused,) = await books.send([send_request(ada, rich, 10)])
    assert isinstance(refused, Answered)
    assert refused.answer.body == b"BALANCE_LIMIT"


async def test_everyone_may_send_to_one_in_a_batch(books: Books) -> None:
    to = await books.user()
    senders = [await books.user(10) for _ in range(30)]
    results = await books.send([send_request(sender, to, 10) for sender in senders])
    assert all(isinstance(result, Answered) and result.answer.status == 201 for result in results)
    assert await books.stands(to) == (300, 0)


async def test_a_reference_pays_in_once_under_whatever_key(books: Books) -> None:
    ada = await books.user()
    request = receive_request(ada, 30)
    (first,) = await books.receive([request])
    under_another = request._replace(scope=(user_id(), "another"), transfer_id=TransferId(uuid7()))
    third = under_another._replace(scope=(user_id(), "third"))
    same, more = await books.receive([under_another, third._replace(money=money(31))])
    assert isinstance(first, Answered)
    assert (same, await books.receive([request])) == (first, [Answered(first.answer, replayed=True)])
    assert isinstance(more, Answered)
    assert more.answer.body == b"REFERENCE_REUSED"
    assert await books.stands(ada) == (30, 0)
    assert await books.kinds(ada) == [("FUNDING", 30)]
    assert await books.events(request.transfer_id) == [("transfer.completed", 1)]


async def test_operators_and_requests_share_the_references(books: Books) -> None:
    ada = await books.user()
    await books.receive([receive_request(ada, 30, reference="salary")])
    assert await books.fund(ada, money(30), "salary") == Funded(30, already=True)
    with pytest.raises(ReferenceReused):
        await books.fund(ada, money(31), "salary")
    await books.fund(ada, money(7), "bonus")
    (same,) = await books.receive([receive_request(ada, 7, reference="bonus")])
    assert isinstance(same, Answered)
    assert same.answer.status == 201
    assert await books.stands(ada) == (37, 0)


async def test_a_batch_with_one_reference_twice_pays_in_once(books: Books) -> None:
    ada = await books.user()
    first = receive_request(ada, 30, reference="salary")
    same, other = first._replace(scope=(user_id(), "b")), first._replace(scope=(user_id(), "c"), money=money(1))
    results = await books.receive([first, same, other])
    answers = [result.answer for result in results if isinstance(result, Answered)]
    assert answers[0] == answers[1]
    assert answers[2].body == b"REFERENCE_REUSED"
    assert await books.stands(ada) == (30, 0)


async def test_nobody_is_paid_in_more_than_fits(books: Books) -> None:
    rich = await books.user(MAX_MINOR - 20)
    await books.hold(rich, 5)
    refused, done = await books.receive([receive_request(rich, 21), receive_request(rich, 20)])
    assert isinstance(refused, Answered)
    assert refused.answer.body == b"BALANCE_LIMIT"
    assert isinstance(done, Answered)
    assert done.answer.status == 201
