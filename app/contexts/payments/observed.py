"""What is wired instead of ports when calls are watched: spans, when tracing is on; times, at LOG_LEVEL=debug."""

from dependency_injector import providers
from opentelemetry.trace import Tracer

from app.contexts.payments.adapters.logging.timings import TimedBooks, TimedKeys, TimedPending
from app.contexts.payments.adapters.tracing import steps
from app.contexts.payments.adapters.tracing.gateway import TracedGateway, TracedRefunds, TracedTransport
from app.contexts.payments.container import PaymentsContainer


def trace(container: PaymentsContainer, tracer: Tracer) -> None:
    """Let the container wire its ports with spans around them."""
    for port, made in (
        (container.reserving, providers.Singleton(steps.reserving, tracer, container.reserve.provided.submit)),
        (container.settling, providers.Singleton(steps.settling, tracer, container.settle.provided.submit)),
        (container.marking, providers.Singleton(steps.marking, tracer, container.mark.provided.submit)),
        (container.recovering, providers.Singleton(steps.recovering, tracer, container.resolve)),
        (container.promising, providers.Singleton(steps.promising, tracer, container.promise.provided.submit)),
        (
            container.settling_refund,
            providers.Singleton(steps.settling_refund, tracer, container.settle_refund.provided.submit),
        ),
        (container.recovering_refund, providers.Singleton(steps.recovering_refund, tracer, container.resolve_refund)),
        (
            container.refunding,
            providers.Singleton(
                TracedRefunds, tracer, container.gateway.provided.refunds, container.settings.provided.gateway_url
            ),
        ),
        (container.sending, providers.Singleton(TracedTransport, container.transport)),
        (
            container.charging,
            providers.Singleton(TracedGateway, tracer, container.gateway, container.settings.provided.gateway_url),
        ),
    ):
        port.override(made)


def time_repositories(container: PaymentsContainer) -> None:
    """Let the container wire repositories that log how long each call took."""
    for repository, made in (
        (container.starting_books, providers.Singleton(TimedBooks, container.starting_pool)),
        (container.finishing_books, providers.Singleton(TimedBooks, container.finishing_pool)),
        (container.pending, providers.Singleton(TimedPending, container.upkeep_pool)),
        (container.keys, providers.Singleton(TimedKeys, container.reads)),
    ):
        repository.override(made)
