"""The keys of /v1: what is known under one, from its claim to its end."""

from uuid import uuid4

import pytest

from app.kernel.ids import UserId
from app.main.local.roles import Urls
from app.platform.idempotency.keys import Answer, Answered, KeyedRequest
from app.platform.idempotency.purge import ExpiredKeys
from app.platform.idempotency.refusals import KeyInProgress, KeyReused
from app.platform.idempotency.requests import KEYS, RequestKeys, request_keys
from app.platform.idempotency.statements import won
from app.platform.postgres.reads import SharedReads
from app.platform.postgres.transactions import Transactions
from tests.platform.outbox_fixtures import outbox_pool


async def test_a_key_is_free_then_in_progress_then_answered(database: Urls) -> None:
    asked, other = (KeyedRequest(uuid4(), "k", fingerprint) for fingerprint in (b"f", b"g"))
    same_key = KeyedRequest(asked.asker_id, "k", b"g")
    async with outbox_pool(database.app_url) as pool:
        keys, transactions = RequestKeys(SharedReads(pool)), Transactions(pool)
        assert await keys.answer_of(asked) is None
        async with transactions.open() as transaction:
            (claims,), _ = await transaction.begin(KEYS.claim([(*asked.scope, asked.fingerprint, uuid4())]))
            assert won(claims) == {asked.scope}
            assert await keys.answer_of(asked) is None  # nobody sees what is not committed
            await transaction.commit([])
        with pytest.raises(KeyInProgress):
            await keys.answer_of(asked)
        with pytest.raises(KeyReused):
            await keys.answer_of(same_key)
        async with transactions.open() as transaction:
            await transaction.begin(KEYS.lock([asked.scope]))
            await transaction.commit([KEYS.store({asked.scope: Answer(201, b"{}")}, {asked.scope})])
        assert await keys.answer_of(asked) == Answered(Answer(201, b"{}"), replayed=True)
        with pytest.raises(KeyReused):
            await keys.answer_of(same_key)
        assert await keys.answer_of(other) is None  # somebody else's
        assert await ExpiredKeys(pool, KEYS, 1.0).purge(10) == 0
        assert await ExpiredKeys(pool, KEYS, 0.0).purge(10) == 1
        assert await keys.answer_of(same_key) is None


async def test_a_request_that_lacks_what_it_needs_claims_nothing(database: Urls) -> None:
    needing = request_keys(given=(("stock", "bigint"),), needs="r.stock > 0")
    user = UserId(uuid4())
    async with outbox_pool(database.app_url) as pool, Transactions(pool).open() as transaction:
        (claims,), _ = await transaction.begin(
            needing.claim([(user, "none", b"f", uuid4(), 0), (user, "some", b"f", uuid4(), 1)])
        )
        assert won(claims) == {(user, "some")}
