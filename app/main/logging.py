"""Logs: structured, one line an event, ids and never bodies, keys or secrets."""

import logging
import sys
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str, form: Literal["json", "console"], process: str) -> None:
    """Log to standard error at the level and above, as JSON or for people, every line naming the process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    if form == "json":
        renderer: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, _json]
        factory: Callable[..., structlog.typing.WrappedLogger] = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        renderer = [
            # Plain: the rich one shows the values of every variable.
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    # Libraries speak only when something is wrong, in the same form.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_internals, *renderer, _as_text])
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # Every pool of every process warns of every attempt while the database is away; readiness and answers tell once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


_encode = msgspec.json.Encoder(enc_hook=str).encode


def _json(_: object, __: str, event: structlog.typing.EventDict) -> bytes:
    return _encode(event)


def _as_text(_: object, __: str, rendered: Any) -> str:
    return rendered.decode() if isinstance(rendered, bytes) else str(rendered)


def _named(process: str) -> structlog.typing.Processor:
    def add(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("process", process)
        return event

    return add


def _drop_internals(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(None, "", event)
