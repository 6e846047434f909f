"""The server: the service, with health and reflection beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from app.contexts.chain.adapters.grpc.chain_pb2_grpc import add_ChainServicer_to_server
from app.contexts.chain.adapters.grpc.guard import Guard
from app.contexts.chain.adapters.grpc.messages import SERVICE
from app.contexts.chain.adapters.grpc.service import ChainService
from app.platform.process.running import CannotServe
from app.platform.process.settings import InvalidSettings

_OPTIONS: Final = (
    # Two adapters on one port would take each other's calls unseen.
    ("grpc.so_reuseport", 0),
    # Clients may look every ten seconds whether we are alive.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
)


class Served:
    """The server while it serves."""

    def __init__(self, states: health.aio.HealthServicer) -> None:
        self._states = states

    async def says(self, *, is_well: bool) -> None:
        """Whether there is a chain to work with, which is what the health of the service says. The server's own says
        that it serves."""
        serving = health_pb2.HealthCheckResponse.SERVING
        await self._states.set(SERVICE, serving if is_well else health_pb2.HealthCheckResponse.NOT_SERVING)


@asynccontextmanager
async def serving(
    service: ChainService, where: str, token: str, tls: tuple[Path, Path] | None, grace_s: float
) -> AsyncIterator[Served]:
    """Serve meanwhile. At the end no new calls are taken, those under way have `grace_s`.

    Raises:
        CannotServe: the port cannot be had.
        InvalidSettings: the certificate or its key cannot be read.
    """
    server = grpc.aio.server(interceptors=[Guard(token)], options=_OPTIONS)
    add_ChainServicer_to_server(service, server)  # type: ignore[no-untyped-call]  # generated
    states = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    try:
        if tls is None:
            server.add_insecure_port(where)
        else:
            server.add_secure_port(where, _credentials(*tls))
    except RuntimeError:  # grpc's, with its own words
        raise CannotServe(f"CHAIN_GRPC_PORT: cannot serve on {where}") from None
    await server.start()
    try:
        served = Served(states)
        await states.set("", health_pb2.HealthCheckResponse.SERVING)
        await served.says(is_well=False)
        yield served
    finally:
        await states.enter_graceful_shutdown()
        await server.stop(grace_s)
        await service.drain()


def _credentials(certificate: Path, key: Path) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials([(_read("CHAIN_TLS_KEY", key), _read("CHAIN_TLS_CERT", certificate))])


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSettings(f"{setting}: {path} cannot be read: {error.strerror}") from None
