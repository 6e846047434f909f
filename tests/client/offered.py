"""What the client offers and what the service's OpenAPI document says, in the same words."""

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from strongbox_client.operation import Described, Listing, Resource
from strongbox_client.operations import Operations
from strongbox_client.values import UnsetType

Json = Mapping[str, Any]
Route = tuple[str, str]
"""A method, and a template with all its names left out."""


def resources() -> Iterator[tuple[str, type[Resource[Any]]]]:
    """The client's resources, by name."""
    for name, attribute in vars(Operations).items():
        if isinstance(attribute, property):
            kind = get_type_hints(attribute.fget)["return"]
            yield name, get_origin(kind)


def operations() -> Iterator[tuple[str, Described[..., Any]]]:
    """All that the client can ask for."""
    for resource, kind in resources():
        for name, attribute in vars(kind).items():
            if isinstance(attribute, Described):
                yield f"{resource}.{name}", attribute


def route(method: str, template: str) -> Route:
    """Where it is asked, whatever the names in its path."""
    parts = template.split("/")
    return method.upper(), "/".join("{}" if part.startswith("{") else part for part in parts)


@dataclass(frozen=True)
class Taken:
    """What an operation takes, by where it goes: names, and whether each has to be there."""

    path: int
    query: Mapping[str, bool]
    headers: Mapping[str, bool]
    members: Mapping[str, bool]
    media_types: frozenset[str]


def taken_by_client(several: list[Described[..., Any]]) -> Taken:
    """What the client's methods for a route take together."""
    arguments = [one for each in several for one in each.arguments]

    def at(where: str) -> dict[str, bool]:
        return {
            one.wire_name: one.default is inspect.Parameter.empty
            and all(one.wire_name in _names(each) for each in several)
            for one in arguments
            if one.where == where
        }

    raw = {one.wire_name for one in arguments if one.where == "body"}
    kinds = raw or ({"application/json"} if at("member") else set())
    path = {len([one for one in each.arguments if one.where == "path"]) for each in several}
    assert len(path) == 1
    return Taken(path.pop(), at("query"), at("header"), at("member"), frozenset(kinds))


def _names(operation: Described[..., Any]) -> set[str]:
    return {one.wire_name for one in operation.arguments}


def resolved(document: Json, part: Any) -> Any:
    """What the part refers to, or itself."""
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def taken_by_service(document: Json, operation: Json) -> Taken:
    """What the document says that an operation takes."""
    parameters = [resolved(document, one) for one in operation["parameters"]]
    content = operation.get("requestBody", {}).get("content", {})
    members: dict[str, bool] = {}
    if "application/json" in content:
        schema = resolved(document, content["application/json"]["schema"])
        members = {name: name in schema.get("required", ()) for name in schema["properties"]}

    def at(where: str) -> dict[str, bool]:
        return {one["name"]: bool(one.get("required")) for one in parameters if one["in"] == where}

    return Taken(len(at("path")), at("query"), at("header"), members, frozenset(content))


def shape_of_client(kind: Any) -> Any:
    """What a type of the client's may be, as far as it is compared: members, words, or just a kind of value."""
    if isinstance(kind, types.UnionType) or get_origin(kind) is Union:
        several = [one for one in get_args(kind) if one not in (type(None), UnsetType)]
        if len(several) == 1:
            return shape_of_client(several[0])
        shapes = [shape_of_client(one) for one in several]
        return _merged(shapes) if all(isinstance(one, dict) for one in shapes) else "any"
    if get_origin(kind) is list:
        return [shape_of_client(get_args(kind)[0])]
    if get_origin(kind) is Literal:
        return set(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {each.value for each in kind}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _members(kind)
    return "any"


def _members(kind: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    shape = {one.encode_name: _once(kind, hints[one.name]) for one in msgspec.structs.fields(kind)}
    config = kind.__struct_config__
    return shape if config.tag is None else shape | {str(config.tag_field): {config.tag}}


def _once(kind: type, hint: Any) -> Any:
    """The shape of a member, unless it is of what it is a member of."""
    return "any" if kind in get_args(hint) else shape_of_client(hint)


def _merged(shapes: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for shape in shapes:
        for name, one in shape.items():
            merged[name] = merged[name] | one if name in merged and isinstance(one, set) else one
    return merged


def shape_of_service(document: Json, schema: Any, within: tuple[int, ...] = ()) -> Any:
    """The same of a schema."""
    schema = resolved(document, schema)
    if id(schema) in within:
        return "any"
    if several := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]:
        return shape_of_service(document, several[0], within) if len(several) == 1 else "any"
    if "enum" in schema or "const" in schema:
        return {one for one in schema.get("enum", [schema.get("const")]) if one is not None}
    if schema.get("type") == "array":
        return [shape_of_service(document, schema["items"], within)]
    if "properties" in schema:
        inside = (*within, id(schema))
        return {name: shape_of_service(document, one, inside) for name, one in schema["properties"].items()}
    return "any"


def answer_of(operation: Described[..., Any]) -> Any:
    """The shape of what the service answers to it."""
    shape = shape_of_client(operation.answer)
    if isinstance(operation, Listing):
        return {operation.head.member: [shape], "next_cursor": "any"}
    return shape if operation.head.member is None else {operation.head.member: shape}
