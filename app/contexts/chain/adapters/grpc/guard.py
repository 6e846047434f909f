"""What stands before every call: the token is looked at, what cannot be read is refused, and a bug keeps its words."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import grpc
import structlog

from app.contexts.chain.adapters.grpc.tokens import is_right

_log = structlog.get_logger(__name__)

OPEN: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.")
"""What is open to whoever reaches the port: whether it serves, and what; neither is a secret."""

BUG: Final = "an error of the adapter's own"

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Guard(grpc.aio.ServerInterceptor):
    """Lets calls with the token through."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The handler of the call, or one that refuses it."""
        handler = await continuation(details)
        if details.method.startswith(OPEN) or handler is None:
            return handler
        if not is_right(self._token, details.invocation_metadata):
            return grpc.unary_unary_rpc_method_handler(_unauthenticated)
        return _guarded(handler, details.method)


def log_bug(method: str, error: Exception) -> None:
    """Log it without its words: they may be what was asked for."""
    _log.error(
        "call_failed",
        method=method,
        error=f"{type(error).__module__}.{type(error).__qualname__}",
        traceback="".join(traceback.format_tb(error.__traceback__)),
    )


async def _unauthenticated(_: Any, context: Any) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the metadata `authorization` has not the token")


def _guarded(handler: Handler, method: str) -> Handler:
    """The handler: its requests are read here, as what reads them would tell its own errors to whoever sent them."""
    read, answer = handler.request_deserializer, handler.unary_unary

    assert read is not None
    assert answer is not None

    async def guarded(content: bytes, context: Any) -> Any:
        try:
            request = read(content)
        except Exception:  # protobuf's, whatever it may be
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the message cannot be read")
        try:
            return await answer(request, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            log_bug(method, error)
            await context.abort(grpc.StatusCode.INTERNAL, BUG)

    return grpc.unary_unary_rpc_method_handler(guarded, response_serializer=handler.response_serializer)
