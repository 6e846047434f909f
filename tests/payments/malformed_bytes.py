"""Requests that are malformed below HTTP: bytes, chunks, and what comes too slowly."""

from tests.payments.malformed import GOOD, H2C, HOST, JSON, ONCE, OPEN, OURS, PAY, get, request


def chunked(body: bytes, headers: bytes = OPEN + JSON + ONCE) -> bytes:
    """A payment request in these chunks."""
    return PAY + headers + b"Transfer-Encoding: chunked\r\n\r\n" + body


BYTES: dict[str, bytes] = {
    "no HTTP at all": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
    "zeros": b"\0" * 100,
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/0.9 by name": b"GET /healthz HTTP/0.9\r\n" + OURS + b"\r\n",
    "HTTP/1.2": b"GET /healthz HTTP/1.2\r\n" + OURS + b"\r\n",
    "HTTP/2.0": b"GET /healthz HTTP/2.0\r\n" + OURS + b"\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "a version in small letters": b"GET /healthz http/1.1\r\n" + OURS + b"\r\n",
    "an unknown method": b"FOO /healthz HTTP/1.1\r\n" + OURS + b"\r\n",
    "a method in small letters": b"get /healthz HTTP/1.1\r\n" + OURS + b"\r\n",
    "no target": b"GET HTTP/1.1\r\n" + OURS + b"\r\n",
    "a target without a slash": b"GET healthz HTTP/1.1\r\n" + OURS + b"\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\n" + OURS + b"\r\n",
    "a target that is not ASCII": b"GET /\xff HTTP/1.1\r\n" + OURS + b"\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\n" + OURS + b"\r\n",
    "a fragment": b"GET /healthz#a HTTP/1.1\r\n" + OURS + b"\r\n",
    "CONNECT": b"CONNECT a:443 HTTP/1.1\r\n" + OURS + b"\r\n",
    "CONNECT to a path": b"CONNECT /healthz HTTP/1.1\r\n" + OURS + b"\r\n",
    "a websocket": get("/healthz", OURS + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    "an upgrade and a body that is cut off": request(GOOD, OPEN + JSON + ONCE + H2C)[:-1],
    "an upgrade and two lengths": request(GOOD, OPEN + JSON + ONCE + H2C + b"Content-Length: 1\r\n"),
    "an upgrade and two hosts": get("/healthz", OURS + HOST + H2C),
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: a\n\n",
    "bare carriage returns": b"GET /healthz HTTP/1.1\rHost: a\r\r",
    "a blank before the colon": get("/healthz", OURS + b"X : a\r\n"),
    "a folded header": get("/healthz", OURS + b"X: a\r\n b\r\n"),
    "a header without a colon": get("/healthz", OURS + b"foo\r\n"),
    "a header without a name": get("/healthz", OURS + b": a\r\n"),
    "NUL in a header": get("/healthz", OURS + b"X: a\0b\r\n"),
    "a bell in a header": get("/healthz", OURS + b"X: \7\r\n"),
    "no host": b"GET /healthz HTTP/1.1\r\nX-Request-ID: from-the-test\r\n\r\n",
    "two hosts": get("/healthz", OURS + HOST),
    "two lengths": PAY + OPEN + JSON + ONCE + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "two different lengths": PAY + OPEN + JSON + ONCE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\naa",
    "a list of lengths": PAY + OPEN + JSON + ONCE + b"Content-Length: 1, 1\r\n\r\na",
    "a negative length": PAY + OPEN + JSON + ONCE + b"Content-Length: -1\r\n\r\n",
    "a length with a plus": PAY + OPEN + JSON + ONCE + b"Content-Length: +1\r\n\r\na",
    "a length in hex": PAY + OPEN + JSON + ONCE + b"Content-Length: 0x1\r\n\r\na",
    "a length beyond counting": PAY + OPEN + JSON + ONCE + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "a length and chunks": chunked(b"0\r\n\r\n", OPEN + JSON + ONCE + b"Content-Length: 5\r\n"),
    "chunks and a length": PAY + OPEN + JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two codings": chunked(b"0\r\n\r\n", OPEN + JSON + ONCE + b"Transfer-Encoding: chunked\r\n"),
    "compressed chunks": PAY + OPEN + JSON + ONCE + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": PAY + OPEN + JSON + ONCE + b"Transfer-Encoding: gzip\r\n\r\na",
    "chunks by a wrong name": PAY + OPEN + JSON + ONCE + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /healthz HTTP/1.0\r\n" + OURS + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is none": chunked(b"zz\r\n\r\n"),
    "a negative chunk size": chunked(b"-1\r\n\r\n"),
    "a chunk size beyond counting": chunked(b"f" * 17 + b"\r\n"),
    "a chunk longer than its size": chunked(b"1\r\naaa\r\n0\r\n\r\n"),
    "a chunk with bare line feeds": chunked(b"1\na\n0\n\n"),
}

SLOW: dict[str, bytes] = {
    "half a method": b"GE",
    "half a head": b"GET /healthz HTTP/1.1\r\n" + OURS,
    "half a body": PAY + OPEN + JSON + ONCE + b"Content-Length: 100\r\n\r\n{",
    "half a chunk": chunked(b"5\r\naa"),
    "half a chunk size": chunked(b"5"),
    "no end of chunks": chunked(b"1\r\na\r\n"),
}
