"""The adapter's health, as it tells it itself."""

from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from app.contexts.chain.adapters.grpc.channels import channel_to
from app.contexts.chain.adapters.grpc.messages import SERVICE
from app.contexts.chain.settings import Endpoint
from app.kernel.errors import Unavailable


async def is_well(endpoint: Endpoint, authority: str, timeout_s: float) -> bool:
    """Whether it has a chain to work with.

    Raises:
        Unavailable: it does not answer.
    """
    async with channel_to(endpoint, authority) as channel:
        ask: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # made when it is made
        try:
            answer = await ask(health_pb2.HealthCheckRequest(service=SERVICE), timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise Unavailable(f"the adapter does not answer: {error.code().name}") from None
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
