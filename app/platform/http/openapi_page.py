"""The OpenAPI document as a page: plain HTML without scripts, which loads nothing from anywhere."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

import msgspec

Json = Mapping[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: .3rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
details { margin: .4rem 0; }
summary { cursor: pointer; }
"""


def page(document: Json) -> str:
    """The document to read."""
    info = document["info"]
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            f"<p>{_prose(info['description'])}</p>",
            '<p>As a document for machines: <a href="/openapi.json">/openapi.json</a></p>',
            body(document),
            "</body></html>",
        )
    )


def body(document: Json) -> str:
    """The operations and the shapes, without a frame: for a page of another make."""
    operations = (_operation(document, path, method, operation) for path, method, operation in _operations(document))
    return "".join((*_contents(document), *itertools.chain.from_iterable(operations), *_schemas(document)))


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _contents(document: Json) -> Iterator[str]:
    yield "<ul>"
    for path, method, operation in _operations(document):
        name = escape(operation["operationId"])
        yield f'<li><a href="#{name}"><code>{method} {escape(path)}</code></a> {escape(operation["summary"])}</li>'
    yield "</ul>"


def _operation(document: Json, path: str, method: str, operation: Json) -> Iterator[str]:
    yield f'<h2 id="{escape(operation["operationId"])}"><code>{method} {escape(path)}</code></h2>'
    yield f"<p><b>{escape(operation['summary'])}.</b> {_prose(operation.get('description', ''))}</p>"
    if "security" in operation:
        yield "<p>Needs the header <code>X-API-Key</code>.</p>"
    parameters = [_resolved(document, parameter) for parameter in operation["parameters"]]
    yield from _table(
        ("parameter", "in", ""),
        (
            (
                f"<code>{escape(parameter['name'])}</code>{' (required)' if parameter.get('required') else ''}",
                escape(parameter["in"]),
                _prose(parameter["description"]),
            )
            for parameter in parameters
        ),
    )
    if "requestBody" in operation:
        yield "<p>Body:</p>"
        yield from _content(operation["requestBody"]["content"])
    yield "<p>Answers:</p>"
    for status, response in operation["responses"].items():
        headers = ", ".join(f"<code>{escape(name)}</code>" for name in response["headers"])
        yield f"<details><summary><b>{escape(status)}</b> {_prose(response['description'])}</summary>"
        yield f"<p>Headers: {headers}</p>"
        yield from _content(response["content"])
        yield "</details>"


def _content(content: Json) -> Iterator[str]:
    for media_type, body in content.items():
        schema = body["schema"].get("$ref", "").rpartition("/")[2]
        link = f' <a href="#{escape(schema)}">{escape(schema)}</a>' if schema else ""
        yield f"<p><code>{escape(media_type)}</code>{link}</p>"
        if "example" in body:
            yield _json(body["example"])
        for example in body.get("examples", {}).values():
            yield _json(example["value"])


def _schemas(document: Json) -> Iterator[str]:
    yield "<h2>Shapes</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> '
        yield f"{_prose(schema.get('description', ''))}</summary>{_json(schema)}</details>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield "<table><tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</table>"


def _resolved(document: Json, part: Json) -> Json:
    found: Any = part
    while "$ref" in found:
        reference: str = found["$ref"]
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    return dict(found)


def _json(value: object) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return f"<pre>{escape(text)}</pre>"


def _prose(text: str) -> str:
    """Escaped, with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if nth % 2 else part for nth, part in enumerate(parts))
