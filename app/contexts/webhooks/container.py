"""How webhooks are wired."""

import os
import random
from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.webhooks.adapters.messaging.hearing import Hearing
from app.contexts.webhooks.adapters.metrics.webhooks import Waiting, WebhookMetrics
from app.contexts.webhooks.adapters.outgoing.calling import Caller
from app.contexts.webhooks.adapters.outgoing.resolving import SystemResolver
from app.contexts.webhooks.adapters.postgres.deliveries import PostgresDeliveries
from app.contexts.webhooks.adapters.postgres.endpoints import PostgresEndpoints
from app.contexts.webhooks.adapters.postgres.event_documents import event_of_a_test
from app.contexts.webhooks.adapters.postgres.figures import PostgresFigures
from app.contexts.webhooks.adapters.postgres.hearing import PostgresHearing
from app.contexts.webhooks.adapters.postgres.recording import PostgresRecords
from app.contexts.webhooks.adapters.postgres.retention import PostgresRetention
from app.contexts.webhooks.adapters.postgres.retried import Recorded
from app.contexts.webhooks.adapters.postgres.sending import PostgresSending
from app.contexts.webhooks.adapters.postgres.sent_again import PostgresSentAgain
from app.contexts.webhooks.application.clean_up import CleanUp
from app.contexts.webhooks.application.hear import Hear
from app.contexts.webhooks.application.manage_endpoints import ManageEndpoints, Rules
from app.contexts.webhooks.application.operate import OperateWebhooks
from app.contexts.webhooks.application.record_attempts import RecordAttempts
from app.contexts.webhooks.application.send import Send
from app.contexts.webhooks.application.send_again import SendAgain
from app.contexts.webhooks.application.tell_delivery import TellDelivery
from app.contexts.webhooks.settings import WebhooksSettings
from app.contexts.webhooks.when_used import SealWhenUsed
from app.platform.postgres.database import Database
from app.platform.postgres.tenancy import TenantRows
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform
from app.platform.tenants import KnownTenants


class WebhooksContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=WebhooksSettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)

    registry = platform.registry
    rules = providers.Singleton(Rules, settings.provided.allowed, settings.provided.webhook_allow_http)
    seal = providers.Singleton(SealWhenUsed, settings.provided.webhook_key)

    # What people and operators ask for.
    pool = providers.Singleton(lambda database: database.planned_pool("webhooks", 4), database)
    rows = providers.Singleton(TenantRows, pool)
    endpoints = providers.Singleton(PostgresEndpoints, rows, pool)
    manage = providers.Singleton(ManageEndpoints, endpoints, seal, rules, uuid7, os.urandom)
    deliveries = providers.Singleton(PostgresDeliveries, rows, pool)
    tell = providers.Singleton(TellDelivery, endpoints, deliveries)
    send_again = providers.Singleton(
        SendAgain, providers.Singleton(PostgresSentAgain, rows, pool), providers.Object(event_of_a_test), uuid7
    )
    operate = providers.Singleton(OperateWebhooks, send_again)
    tenants = providers.Factory(KnownTenants, platform.people)

    # What is heard: one batch at a time.
    hearing_pool = providers.Singleton(lambda database: database.planned_pool("webhooks-hear", 1), database)
    hear = providers.Singleton(
        Hear, providers.Singleton(PostgresHearing, providers.Singleton(TenantRows, hearing_pool)), uuid7
    )
    hearing = providers.Singleton(Hearing, hear)

    # What is sent: a connection to claim with, one to write down with.
    sending_pool = providers.Singleton(lambda database: database.planned_pool("webhooks-send", 2), database)
    sending_rows = providers.Singleton(TenantRows, sending_pool)
    resolver = providers.Singleton(SystemResolver)
    caller = providers.Singleton(Caller, resolver, rules)
    metrics = providers.Singleton(WebhookMetrics, registry)
    record = providers.Singleton(
        Recorded,
        providers.Singleton(
            RecordAttempts, providers.Singleton(PostgresRecords, sending_rows), uuid7,
            providers.Object(lambda: random.uniform(-1, 1)),  # noqa: S311 -- nothing to guess here
        ),
        sending_pool,
    )  # fmt: skip
    send = providers.Singleton(
        Send, providers.Singleton(PostgresSending, sending_rows, sending_pool), record, caller, seal, metrics
    )

    upkeep = database.provided.upkeep_pool
    clean_up = providers.Singleton(
        CleanUp,
        providers.Singleton(PostgresRetention, providers.Singleton(TenantRows, upkeep), upkeep),
        settings.provided.webhook_retention_d,
    )
    waiting = providers.Singleton(Waiting, providers.Singleton(PostgresFigures, upkeep), registry)


def make(platform: Platform, database: Database, _: Mapping[str, Any]) -> WebhooksContainer:
    """The container."""
    settings: Settings = platform.settings()
    return WebhooksContainer(settings=settings.of(WebhooksSettings), platform=platform, database=database)
