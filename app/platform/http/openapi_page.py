"""The OpenAPI document as a page: plain HTML without scripts, which loads nothing from anywhere."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

import msgspec

Json = Mapping[str, Any]

# The colours are the console's. What is folded opens by a link to it, as its anchor is inside.
_STYLE = """
:root { color-scheme: light dark; --panel: #fff; --text: #17212b; --soft: #52606d; --line: #d9e0e6; --ground: #f4f6f8;
  --accent: #0f6b64; }
@media (prefers-color-scheme: dark) { :root { --panel: #172027; --text: #e4ebf0; --soft: #a3b2bf; --line: #2b3842;
  --ground: #0e1418; --accent: #4fc3b5; } }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem;
  background: var(--panel); color: var(--text); overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; letter-spacing: -.01em; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.3rem; }
a { color: var(--accent); }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--ground); padding: .75rem; overflow-x: auto; border-radius: .5rem; overflow-wrap: normal; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-top: 1px solid var(--line); }
.fold { border-top: 1px solid var(--line); }
.fold .fold { margin-left: 1rem; }
summary { cursor: pointer; padding: .6rem 0; }
summary:hover { color: var(--accent); }
summary span { color: var(--soft); }
@media (max-width: 600px) {
  tr, th, td { display: block; }
  tr { padding: .5rem 0; border-top: 1px solid var(--line); }
  tr:first-child { display: none; }
  td { padding: .1rem 0; border: 0; }
}
"""


def page(document: Json) -> str:
    """The document to read."""
    info = document["info"]
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body><main>",
            f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            f"<p>{_prose(info['description'])}</p>",
            '<p>As a document for machines: <a href="/openapi.json">/openapi.json</a></p>',
            body(document),
            "</main></body></html>",
        )
    )


def body(document: Json) -> str:
    """The operations and the shapes, without a frame: for a page of another make."""
    return "".join(("<h2>Requests</h2>", *_requests(document), *_schemas(document)))


def _requests(document: Json) -> Iterator[str]:
    """By what they are about, each group in a fold, as there are too many to scroll past."""
    groups: dict[str, list[Iterator[str]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            of_its_tag = groups.setdefault(operation["tags"][0], [])
            of_its_tag.append(_operation(document, path, method.upper(), operation))
    for tag, operations in groups.items():
        head = f"<b>{escape(tag.capitalize())}</b> <span>{len(operations)}</span>"
        yield from _fold(head, itertools.chain.from_iterable(operations))


def _fold(head: str, inside: Iterable[str], anchor: str = "") -> Iterator[str]:
    named = f' id="{escape(anchor)}"' if anchor else ""
    yield f'<details class="fold"><summary>{head}</summary><div{named}>'
    yield from inside
    yield "</div></details>"


def _operation(document: Json, path: str, method: str, operation: Json) -> Iterator[str]:
    head = f"<b><code>{method} {escape(path)}</code></b> <span>{escape(operation['summary'])}</span>"
    yield from _fold(head, _told(document, operation), operation["operationId"])


def _told(document: Json, operation: Json) -> Iterator[str]:
    if "description" in operation:
        yield f"<p>{_prose(operation['description'])}</p>"
    if "security" in operation:
        yield f"<p>{_who(document, operation['security'])}</p>"
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
        yield from _fold(f"<b>{escape(status)}</b> {_prose(response['description'])}", _answer(response))


def _who(document: Json, security: Sequence[Json]) -> str:
    """What lets in, in words."""
    schemes = document["components"]["securitySchemes"]
    ways = [
        f"the {schemes[name]['in']} <code>{escape(schemes[name]['name'])}</code>"
        if "in" in schemes[name]
        else f"<code>Authorization: {escape(schemes[name]['scheme'].capitalize())}</code>"
        for each in security
        for name in each
    ]
    return f"{'May have' if {} in security else 'Needs'} {' or '.join(ways)}."


def _answer(response: Json) -> Iterator[str]:
    headers = ", ".join(f"<code>{escape(name)}</code>" for name in response["headers"])
    yield f"<p>Headers: {headers}</p>"
    yield from _content(response.get("content", {}))


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
    """All in one fold: whoever needs one comes by a link, which opens it."""
    schemas = document["components"]["schemas"]
    yield "<h2>Shapes</h2>"
    yield from _fold(
        f"<b>All {len(schemas)}</b> <span>What bodies and answers are made of</span>",
        itertools.chain.from_iterable(_schema(name, schema) for name, schema in schemas.items()),
    )


def _schema(name: str, schema: Json) -> Iterator[str]:
    head = f"<code>{escape(name)}</code> <span>{_prose(schema.get('description', ''))}</span>"
    yield from _fold(head, (_json(schema),), name)


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
