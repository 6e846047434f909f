"""A gateway that does what it is asked, and lies about it: it stands between Strongbox and the mock gateway."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Told = dict[str, Any]
Lie = Callable[[int, Told], bytes]
"""From the status and the JSON of the true answer to the bytes that are sent in its place."""


def answer(status: int, body: Any, *headers: str, reason: str | None = None) -> bytes:
    """An HTTP response that ends its connection."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} {reason or HTTPStatus(status).phrase}",
        f"Content-Length: {len(content)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


class LyingGateway(ThreadingHTTPServer):
    """Passes every request on to `upstream`; the answers about a payment are those of the lie its reference names.

    `heads` are the requests' heads as they came.
    """

    daemon_threads = True

    def __init__(self, lies: Mapping[str, Lie]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.upstream = ""
        self.lies = dict(lies)
        self.heads: list[str] = []
        self.client = httpx.Client(trust_env=False, timeout=60)
        self._references: dict[str, str] = {}

    def server_close(self) -> None:
        """End, with what the requests were passed on by."""
        super().server_close()
        self.client.close()

    def lie_about(self, path: str, body: bytes) -> Lie | None:
        """The lie for the payment that a request is about."""
        if path == "/charges":
            order = json.loads(body)
            self._references[order["payment_id"]] = order["external_reference"]
            return self.lies.get(order["external_reference"])
        payment_id = path.removeprefix("/charges/").partition("/")[0]
        return self.lies.get(self._references.get(payment_id, ""))


class _Handler(BaseHTTPRequestHandler):
    server: LyingGateway

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.heads.append(f"{self.requestline}\n{self.headers}")
        keys = {name: self.headers[name] for name in ("Idempotency-Key",) if name in self.headers}
        url = f"{self.server.upstream}{self.path}"
        true = self.server.client.request(self.command, url, content=body, headers=keys)
        lie = self.server.lie_about(self.path, body) if self.path.startswith("/charges") else None
        self.wfile.write(lie(true.status_code, true.json()) if lie else answer(true.status_code, true.content))

    do_GET = do_POST = _pass_on  # noqa: N815 -- the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """The server answers meanwhile."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Trap(ThreadingHTTPServer):
    """Where nobody should ever come: `arrived` are the request lines of those who did."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Trapped)
        self.arrived: list[str] = []


class _Trapped(_Handler):
    server: Trap  # type: ignore[assignment]

    def _note(self) -> None:
        self.server.arrived.append(self.requestline)
        self.wfile.write(answer(200, {}))

    do_GET = do_POST = _note  # noqa: N815
