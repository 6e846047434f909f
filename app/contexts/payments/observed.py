"""Spans around the ports of a payment: what is wired instead of the ports themselves, when tracing is on."""

from dependency_injector import providers
from opentelemetry.trace import Tracer

from app.adapters.tracing.gateway import TracedGateway, TracedTransport
from app.adapters.tracing.requests import TracedRequests
from app.adapters.tracing.steps import marking, recovering, reserving, settling
from app.main.container import Container


def trace(container: Container, tracer: Tracer) -> None:
    """Let the container wire its ports with spans around them."""
    for port, made in (
        (container.follow, providers.Singleton(TracedRequests, tracer)),
        (container.reserving, providers.Singleton(reserving, tracer, container.reserve.provided.submit)),
        (container.settling, providers.Singleton(settling, tracer, container.settle.provided.submit)),
        (container.marking, providers.Singleton(marking, tracer, container.mark.provided.submit)),
        (container.recovering, providers.Singleton(recovering, tracer, container.resolve)),
        (container.sending, providers.Singleton(TracedTransport, container.transport)),
        (
            container.charging,
            providers.Singleton(TracedGateway, tracer, container.gateway, container.settings.provided.gateway_url),
        ),
    ):
        port.override(made)
