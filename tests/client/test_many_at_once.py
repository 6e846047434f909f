"""Many threads, or tasks, with one client: they ask for one token, and keep nobody from it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx

from strongbox_client import AsyncClient, Client, Machine
from tests.client.served import Asked
from tests.client.talking import USER


def machine_service() -> Asked:
    given = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "scope": ""}
    wallet = {"user_id": USER, "balances": []}
    return Asked(lambda request: httpx.Response(200, json=given if request.url.path.endswith("token") else wallet))


def test_many_threads_ask_for_one_token() -> None:
    service = machine_service()
    http = httpx.Client(transport=httpx.MockTransport(service))
    with Client("http://service", Machine("till", "secret"), http=http) as client, ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: client.wallet.get(), range(64)))
    assert [request.url.path for request in service.requests].count("/v1/auth/token") == 1


def test_many_tasks_ask_for_one_token() -> None:
    service = machine_service()

    async def do() -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(service))
        async with AsyncClient("http://service", Machine("till", "secret"), http=http) as client:
            await asyncio.gather(*(client.wallet.get() for _ in range(64)))

    asyncio.run(do())
    assert [request.url.path for request in service.requests].count("/v1/auth/token") == 1


def test_a_task_that_is_cancelled_while_it_asks_for_a_token_keeps_nobody_from_it() -> None:
    service = machine_service()

    async def do() -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(service))
        async with AsyncClient("http://service", Machine("till", "secret"), http=http) as client:
            hasty = asyncio.create_task(client.wallet.get())
            await asyncio.sleep(0)
            hasty.cancel()
            assert (await client.wallet.get()).balances == []

    asyncio.run(do())
