"""The pool of passwords: bounded, and no burden to the loop that answers."""

import asyncio
import time

import pytest

from app.contexts.identity.adapters.passwords import hashes
from app.contexts.identity.adapters.passwords.pool import WAITING, PasswordThreads
from app.kernel.errors import Unavailable


async def test_a_password_fits_its_hash_alone_and_nobodys_takes_as_long() -> None:
    pool = PasswordThreads(1)
    hashed = await pool.hash("a line of a song")
    assert (await pool.verify(hashed.hash, "a line of a song")).fits
    assert not (await pool.verify(hashed.hash, "another")).fits
    nobodys = await pool.verify(None, "a line of a song")
    assert (nobodys.fits, nobodys.renewed) == (False, None)


async def test_an_old_hash_is_made_anew_only_where_it_fits() -> None:
    pool = PasswordThreads(1)
    old = "$2b$04$" + "abcdefghijklmnopqrstuu" + "5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
    assert (await pool.verify(old, "another")).renewed is None
    renewed = (await pool.verify(made_with_bcrypt("song"), "song")).renewed
    assert renewed is not None
    assert hashes.fits(renewed, "song")
    assert not hashes.is_old(renewed)


def made_with_bcrypt(password: str) -> str:
    import bcrypt

    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


async def test_past_its_bound_it_says_come_back_and_then_takes_more() -> None:
    pool = PasswordThreads(1)
    attempts = [asyncio.create_task(pool.verify(None, "flood")) for _ in range(2 * WAITING)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert len(refused) == 2 * WAITING - (WAITING + 1)
    assert not (await pool.verify(None, "afterwards")).fits


async def test_who_leaves_makes_room_only_when_the_work_is_done() -> None:
    pool = PasswordThreads(1)
    attempts = [asyncio.create_task(pool.verify(None, "flood")) for _ in range(WAITING + 1)]
    await asyncio.sleep(0)
    for attempt in attempts:
        attempt.cancel()
    await asyncio.gather(*attempts, return_exceptions=True)
    deadline = time.monotonic() + 300
    while True:
        try:
            await pool.verify(None, "afterwards")
        except Unavailable:
            assert time.monotonic() < deadline, "what was cancelled is still counted"
            await asyncio.sleep(0.01)
        else:
            break
    assert pool._under_way <= 1


async def test_the_loop_goes_on_while_passwords_are_hashed() -> None:
    """Not in how many milliseconds, which is the machine's: but many times while one hash is made."""
    pool = PasswordThreads(1)
    hashing = asyncio.create_task(pool.hash("a line of a song"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100


async def test_the_time_at_which_the_queue_was_left_is_told() -> None:
    pool = PasswordThreads(1)
    first, second = await asyncio.gather(pool.hash("one"), pool.hash("two"))
    assert first.began_at < second.began_at <= time.monotonic()


def test_without_a_number_it_has_a_thread_for_each_core() -> None:
    assert PasswordThreads(0).threads >= 1
    assert PasswordThreads(3).threads == 3


async def test_unavailable_is_no_bug() -> None:
    pool = PasswordThreads(1)
    pool._under_way = 10_000
    with pytest.raises(Unavailable):
        await pool.hash("a line of a song")
