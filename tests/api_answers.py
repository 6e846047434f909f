"""What the API answers to bare bytes, and whether its OpenAPI document tells of an answer."""

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from typing import Any

import httpx
import msgspec
from jsonschema import Draft202012Validator


@dataclass(frozen=True)
class RawAnswer:
    """What came back over a bare connection. `status` is 0 when nothing did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_s: float
    is_closed: bool = False


def exchange(port: int, *pieces: bytes, method: str = "GET", half_close: bool = False) -> RawAnswer:
    """Send bytes, read one answer, see whether the server closes behind it."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        response = HTTPResponse(connection, method=method)
        try:
            response.begin()
        except (HTTPException, ConnectionError):
            return RawAnswer(0, {}, b"", time.monotonic() - started)
        headers = {name.lower(): value for name, value in response.getheaders()}
        # The answer ends with its Content-Length, whatever the connection does.
        body = response.read()
        answer = RawAnswer(response.status, headers, body, time.monotonic() - started)
        if headers.get("connection") == "close":
            return replace(answer, is_closed=connection.recv(1) == b"")
        return answer


@lru_cache(maxsize=256)
def _validator(schema: str, document: int) -> Draft202012Validator:
    components = _DOCUMENTS[document]["components"]
    return Draft202012Validator({"$ref": schema, "components": components})


_DOCUMENTS: dict[int, Any] = {}


def _template(document: Any, path: str) -> str | None:
    """The documented path that this one is of, names before parameters."""
    patterns = {each: re.sub(r"{\w+}", "[^/]+", each) for each in document["paths"]}
    fitting = [each for each, pattern in patterns.items() if re.fullmatch(pattern, path)]
    return min(fitting, key=lambda each: each.count("{"), default=None)


def check_documented(
    document: Any, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """See to it that the document tells of this answer: its status, its headers and its shape."""
    _DOCUMENTS[id(document)] = document
    template = _template(document, path.partition("?")[0])
    operations = document["paths"].get(template)
    if operations is None:
        to_the_docs = (path, status, headers.get("location")) == ("/", 302, "/docs")  # for browsers alone
        assert to_the_docs or status in (400, 404, 414, 431), f"{path} is not documented"
        return
    operation = operations.get("get" if method == "HEAD" else method.lower())
    documented = [operation] if operation else list(operations.values())
    responses = [one["responses"][str(status)] for one in documented if str(status) in one["responses"]]
    assert responses, f"{method} {template} does not document {status}"
    for name, header in responses[0]["headers"].items():
        if "$ref" in header:
            header = document["components"]["headers"][header["$ref"].rpartition("/")[2]]  # noqa: PLW2901
        if header.get("required"):
            assert name.lower() in headers, f"{method} {template} {status} lacks {name}"
    known = {name.lower() for name in responses[0]["headers"]}
    special = {"retry-after", "idempotent-replayed", "allow", "www-authenticate", "ratelimit", "set-cookie"}
    assert not (special & headers.keys()) - known, f"{method} {template} {status} has undocumented headers"
    if "content" not in responses[0]:
        assert body == b""
        assert not {"content-type", "content-length"} & headers.keys()
        return
    content = responses[0]["content"].get(headers["content-type"].partition(";")[0])
    assert content, f"{method} {template} {status}: {headers['content-type']} is not documented"
    if "$ref" in content["schema"] and method != "HEAD":
        validator = _validator(content["schema"]["$ref"], id(document))
        for each in _events(body) if "text/event-stream" in headers["content-type"] else [msgspec.json.decode(body)]:
            validator.validate(each)


def _events(body: bytes) -> list[dict[str, str]]:
    """The events of a stream, each by its fields, as OpenAPI 3.1 describes one."""
    blocks = [block.splitlines() for block in body.decode().split("\n\n")[:-1]]
    return [
        dict(line.partition(": ")[::2] for line in block)
        for block in blocks
        if any(line.startswith("data:") for line in block)
    ]


def hold_to_its_document(client: httpx.Client) -> None:
    """See to it that the document that the client is served tells of every answer that it gets from here on."""
    document = client.get("/openapi.json").json()

    def check(answer: httpx.Response) -> None:
        asked = answer.request
        check_documented(document, asked.method, asked.url.path, answer.status_code, answer.headers, answer.read())

    client.event_hooks["response"].append(check)
