"""`python -m bench.clients.posting PLAN`: bodies of the same size posted by a bare httpx loop, one at a time for
each of so many URLs, over a client of its own: one for all takes four times as long to find a connection among fifty.
"""

import asyncio
import ssl
import sys
import time
from contextlib import AsyncExitStack

import httpx
import msgspec
import uvloop


class Plan(msgspec.Struct, frozen=True):
    """Where to, how many URLs there are, how many posts in all, and how many bytes each has."""

    url: str
    urls: int
    posts: int
    body_bytes: int


class Outcome(msgspec.Struct, frozen=True):
    """How many were taken a second, and how many were not taken."""

    rate: float
    refused: int


async def _main(plan: Plan) -> Outcome:
    body, left, refused = b"x" * plan.body_bytes, plan.posts, 0
    headers = {
        "content-type": "application/cloudevents+json",
        "webhook-id": "0" * 36,
        "webhook-signature": "v1," + "x" * 44,
    }
    async with AsyncExitStack() as stack:
        context = ssl.create_default_context()  # made once: each would read all authorities, for nothing
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(verify=context, trust_env=False, timeout=10.0))
            for _ in range(plan.urls)
        ]

        async def post(client: httpx.AsyncClient, url: str) -> None:
            nonlocal left, refused
            while left > 0:
                left -= 1
                answer = await client.post(url, content=body, headers=headers)
                refused += answer.status_code != httpx.codes.NO_CONTENT

        began = time.perf_counter()
        await asyncio.gather(*(post(client, f"{plan.url}/{nth}") for nth, client in enumerate(clients)))
        return Outcome(plan.posts / (time.perf_counter() - began), refused)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
