"""Logs: structured, one line an event, ids and never bodies, keys or secrets."""

import atexit
import io
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import structlog
from structlog.processors import format_exc_info
from structlog.typing import EventDict

from app.platform.process.line_writer import LineStream, LineWriter

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

Render = Callable[[str, EventDict], bytes]
"""Makes the line of an event at a level; the event is its own, to add to."""

_writers: list[LineWriter] = []


def configure(level: str, form: Literal["json", "console"], process: str) -> None:
    """Log to standard error at the level and above, as JSON or for people, every line naming the process.

    All else that this process says there, from here on, goes the same way: nobody waits for who reads it.
    """
    descriptor = _standard_error()
    render = _json(process) if form == "json" else _console(process, colors=os.isatty(descriptor))
    writer = LineWriter(descriptor, lambda lost: render("warning", {"event": "log_lines_lost", "lines": lost}))
    _writers.append(writer)
    stream = io.BufferedWriter(LineStream(writer, descriptor))
    sys.stderr = io.TextIOWrapper(stream, "utf-8", "backslashreplace", line_buffering=True)
    atexit.register(_end, sys.stderr, writer)
    structlog.configure(
        wrapper_class=_logger(_LEVELS[level], render, writer.put),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    # Libraries speak only when something is wrong, in the same form.
    logging.basicConfig(level=logging.WARNING, handlers=[_FromLibraries(render, writer)], force=True)
    # Every pool of every process warns of every attempt while the database is away; readiness and answers tell once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def lost() -> int:
    """How many lines of this process were lost so far, as nobody read them, or there was no room on the disk."""
    return sum(writer.lost for writer in _writers)


def _logger(level: int, render: Render, put: Callable[[bytes], None]) -> type[structlog.typing.BindableLogger]:
    """Loggers that make a line at once: a chain of processors takes the event apart and together for each of them."""

    class Logger(structlog.make_filtering_bound_logger(level)):  # type: ignore[misc] # made for the level
        def _proxy_to_logger(self, level: str, event: str | None = None, **fields: Any) -> None:
            if self._context:
                fields = {**self._context, **fields}
            fields["event"] = event
            put(render(level, fields))

    return Logger


class _FromLibraries(logging.Handler):
    def __init__(self, render: Render, writer: LineWriter) -> None:
        super().__init__()
        self._render = render
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event: EventDict = {"event": record.getMessage()}
            if record.exc_info:
                event["exc_info"] = record.exc_info
            self._writer.put(self._render(record.levelname.lower(), event))
        except Exception:
            self.handleError(record)


def _json(process: str) -> Render:
    def render(level: str, event: EventDict) -> bytes:
        structlog.contextvars.merge_contextvars(None, level, event)
        event["level"] = level
        event["timestamp"] = datetime.now(UTC)
        event.setdefault("process", process)
        if "exc_info" in event:
            event = format_exc_info(None, level, event)
        try:
            return _encode(event) + b"\n"
        except Exception:  # half a character, such as a file's name may have: a line has to be made of it all the same
            return _encode({name: ascii(value) for name, value in event.items()}) + b"\n"

    return render


def _console(process: str, *, colors: bool) -> Render:
    timed = structlog.processors.TimeStamper(fmt="iso", utc=True)
    # Plain: the rich one shows the values of every variable.
    shown = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)

    def render(level: str, event: EventDict) -> bytes:
        structlog.contextvars.merge_contextvars(None, level, event)
        event["level"] = level
        timed(None, level, event)
        event.setdefault("process", process)
        plain = {name: str(value) if isinstance(value, UUID) else value for name, value in event.items()}
        return f"{shown(None, level, plain)}\n".encode("utf-8", "backslashreplace")

    return render


def _standard_error() -> int:
    # Closed, its number is the next file's or connection's: nothing may be written to that.
    return os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else 2


def _end(stream: io.TextIOWrapper, writer: LineWriter) -> None:
    stream.flush()
    writer.close()


_encode = msgspec.json.Encoder(enc_hook=str).encode
