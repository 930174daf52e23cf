"""Compares what is said with what the marketplaces have published: every request of ours, every answer of the stand-in.

Without the specifications (see tests/specs.py) nothing is compared; with CI=true the tests marked `specs` fail then.

They are read operation by operation: Ozon's file has faults (broken references, types that are none), so a whole-file
check is not to be had. Where the specification itself is known to be wrong, DEVIATIONS says so.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from marketplaces.standin.messages import Answer, Request
from tests import specs

# The files of an interface; of two that know an operation, the first counts.
FILES = {
    "/allegro": [specs.ALLEGRO],
    "/ozon": [specs.NEWER_OZON, specs.OZON],
    "/wildberries": specs.WILDBERRIES,
    "/wildberries-analytics": tuple(reversed(specs.WILDBERRIES)),
}
# Nobody has published anything on these: Allegro's token endpoints, and files.
UNPUBLISHED = ("/allegro-auth", "/ozon-files")
# Gates in front of an interface answer so whether or not an operation lists it.
ANYWHERE = {401, 403, 404, 406, 415, 429, 500, 502, 503, 504}
METHODS = ("get", "post", "put", "patch", "delete")
TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
# Allegro wants every application to say who it is, since the end of June 2026.
USER_AGENT = re.compile(r"[\w.-]+/[\w.-]+ \(\+https?://[^)\s]+\)")
# (operation, where): what is not looked at, because the specification contradicts itself or the real thing.
DEVIATIONS = {
    # At least 1 is asked for, yet an empty list is an answer.
    ("GET /order/checkout-forms", "answer"): ({"count", "totalCount"}, "minimum"),
    # The schema requires product_id, yet the text says that one of product_id and offer_id is enough; and it requires
    # quant_size, which the text says is gone since 26 June 2025.
    ("POST /v2/products/stocks", "request"): ({"product_id", "quant_size"}, "required"),
}

# Allegro takes these several times though the specification calls them a string.
REPEATED = {"status", "fulfillment.status"}

Schema = dict[str, Any]


@functools.cache
def document(name: str) -> Mapping[str, Any]:
    text = (specs.folder() / name).read_bytes()
    if name.endswith(".json"):
        data: dict[str, Any] = json.loads(text)
        # The newer operations are paths alone; what they refer to is in the older file.
        return data if "paths" in data else {"paths": data, "components": document(specs.OZON)["components"]}
    loaded: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


class Operation:
    """One method of one path, as it was published."""

    def __init__(self, file: str, path: str, method: str) -> None:
        self.file, self.name = file, f"{method.upper()} {path}"
        self.root = document(file)
        item = self.root["paths"][path]
        self.data: Mapping[str, Any] = item[method]
        self.parameters = [
            self.resolved(each) for each in [*item.get("parameters", []), *self.data.get("parameters", [])]
        ]
        self.validators: dict[Any, Draft202012Validator] = {}

    def resolved(self, node: Any) -> Any:
        while isinstance(node, Mapping) and "$ref" in node:
            node = target(self.root, node["$ref"])
        return node

    def faults_of_request(self, request: Request) -> Iterator[str]:
        known = {each["name"]: each for each in self.parameters if each["in"] == "query"}
        for name, values in request.query.items():
            if name not in known:
                yield f"the query parameter {name} is unknown"
            else:
                yield from self.faults_of_parameter(known[name], values)
        for each in self.parameters:
            if each.get("required") and each["in"] == "query" and each["name"] not in request.query:
                yield f"the query parameter {each['name']} is missing"
            if each.get("required") and each["in"] == "header" and each["name"].lower() not in request.headers:
                yield f"the header {each['name']} is missing"
        body = self.resolved(self.data.get("requestBody"))
        if not body or not request.body:
            if body and body.get("required"):
                yield "the body is missing"
            return
        yield from self.faults_of_body(
            "request", "request", body["content"], request.headers.get("content-type", ""), request.body
        )

    def faults_of_parameter(self, parameter: Mapping[str, Any], values: list[str]) -> Iterator[str]:
        schema = self.resolved(parameter.get("schema", {}))
        is_list = schema.get("type") == "array"
        single = self.resolved(schema.get("items", {})) if is_list else schema
        if len(values) > 1 and not is_list and parameter["name"] not in REPEATED:
            yield f"the query parameter {parameter['name']} is there {len(values)} times"
        for value in values:
            read: Any = value
            if single.get("type") in ("integer", "number"):
                read = int(value) if re.fullmatch(r"-?\d+", value) else value
            elif single.get("type") == "boolean":
                read = {"true": True, "false": False}.get(value, value)
            yield from self.faults_of_data(("query", parameter["name"]), "request", single, read)

    def faults_of_answer(self, answer: Answer) -> Iterator[str]:
        published = self.data["responses"].get(str(answer.status)) or self.data["responses"].get("default")
        if published is None:
            if answer.status not in ANYWHERE:
                yield f"the status {answer.status} is not published"
            return
        content = self.resolved(published).get("content")
        body = answer.body()
        if content and body:
            yield from self.faults_of_body(("answer", answer.status), "answer", content, answer.media, body)
        elif body and answer.status < 300:
            yield "there is a body where none was published"

    def faults_of_body(self, key: Any, side: str, content: Mapping[str, Any], media: str, body: bytes) -> Iterator[str]:
        media = media.partition(";")[0].strip()
        # Wildberries' gates call their faults application/json or application/problem+json as they like.
        published = content.get(media) or (next(iter(content.values())) if "problem" in "".join(content) else None)
        if published is None:
            yield f"the {side} is {media or 'of no type'}, published is {', '.join(content)}"
            return
        try:
            data = json.loads(body)
        except ValueError:
            yield f"the {side} is no JSON"
            return
        yield from self.faults_of_data(key, side, published.get("schema", {}), data)

    def faults_of_data(self, key: Any, side: str, schema: Any, data: Any) -> Iterator[str]:
        if key not in self.validators:
            # The newer operations tell a subset of what is in an answer.
            is_closed = not (side == "answer" and self.file == specs.NEWER_OZON)
            is_lenient = side == "answer" and self.file in (specs.OZON, specs.NEWER_OZON)
            self.validators[key] = Draft202012Validator(converted(self.root, schema, is_closed, is_lenient))
        names, kind = DEVIATIONS.get((self.name, side), (set(), ""))
        for error in self.validators[key].iter_errors(data):
            about = {str(error.path[-1])} if error.path else set()
            if error.validator == "required":
                about = set(re.findall(r"'(\w+)' is a required", error.message))
            if error.validator == kind and about & names:
                continue
            deepest = best_match([error]) or error
            yield f"{side}{deepest.json_path[1:]}: {deepest.message[:300]}"


def target(root: Mapping[str, Any], reference: str) -> Any:
    """What a reference stands for; anything at all where it leads nowhere."""
    node: Any = root
    for step in reference.removeprefix("#/").split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or step not in node:
            return {}
        node = node[step]
    return node


def converted(root: Mapping[str, Any], schema: Any, is_closed: bool, is_lenient: bool) -> Schema:
    """A JSON Schema of what OpenAPI 3.0 says. `is_closed`: no other fields than those named; `is_lenient`: null is
    taken where a field is not required."""
    definitions: dict[str, Schema] = {}

    def convert(node: Any, *, closed: bool = is_closed) -> Any:
        if not isinstance(node, Mapping):
            return {}
        if "$ref" in node:
            name = re.sub(r"\W", "_", node["$ref"]) + ("" if closed else "_open")
            if name not in definitions:
                definitions[name] = {}
                definitions[name] |= convert(target(root, node["$ref"]), closed=closed)
            return {"$ref": f"#/$defs/{name}"}
        result: Schema = {}
        for key in ("enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"):
            if node.get(key) is not None:
                result[key] = node[key]
        if node.get("type") in TYPES:
            result["type"] = [node["type"], "null"] if node.get("nullable") else node["type"]
        if node.get("nullable") and "enum" in result:
            result["enum"] = [*result["enum"], None]
        if isinstance(node.get("required"), list):
            result["required"] = node["required"]
        parts = [key for key in ("allOf", "oneOf", "anyOf") if key in node]
        if isinstance(node.get("properties"), Mapping):
            required = set(result.get("required", ()))
            result["properties"] = {
                name: either_null(convert(each)) if is_lenient and name not in required else convert(each)
                for name, each in node["properties"].items()
            }
            if closed and not parts and "additionalProperties" not in node:
                result["additionalProperties"] = False
        if "items" in node:
            result["items"] = convert(node["items"])
        for key in parts:
            # Of composed schemas each knows its own fields alone.
            result[key] = [convert(each, closed=False) for each in node[key]]
        if "discriminator" in node:
            result.pop("oneOf", None)
        return result

    top = convert(schema)
    return {**top, "$defs": definitions}


def either_null(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


@functools.cache
def operations(prefix: str) -> list[tuple[str, re.Pattern[str], tuple[str, str, str]]]:
    """The published operations of an interface, fixed paths before those with names in them."""
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for file in FILES[prefix]:
        for path, item in document(file)["paths"].items():
            for method in METHODS:
                if method in item:
                    found.setdefault((method, path), (file, path, method))
    result = []
    for (method, path), place in sorted(found.items(), key=lambda each: each[0][1].count("{")):
        pattern = re.compile(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(path)))
        result.append((method.upper(), pattern, place))
    return result


@functools.cache
def operation(prefix: str, method: str, path: str) -> Operation | None:
    for published_method, pattern, place in operations(prefix):
        if published_method == method and pattern.fullmatch(path):
            return opened(*place)
    return None


@functools.cache
def opened(file: str, path: str, method: str) -> Operation:
    return Operation(file, path, method)


def faults_of(request: Request, answer: Answer, *, is_answer_bent: bool = False) -> list[str]:
    """Returns what in this exchange was not agreed, as sentences; an answer that a test has bent is not looked at."""
    prefix = "/" + request.path.split("/", 2)[1]
    if prefix in UNPUBLISHED:
        return []
    path = request.path.removeprefix(prefix)
    found = operation(prefix, request.method, path) if prefix in FILES else None
    if found is None:
        return [f"{request.method} {request.path}: there is no such operation"]
    faults = list(found.faults_of_request(request))
    if prefix == "/allegro" and not USER_AGENT.fullmatch(request.headers.get("user-agent", "")):
        faults.append(f"the User-Agent {request.headers.get('user-agent')!r} is not Name/1.0 (+https://…)")
    # What we asked wrongly may be answered as it is; what is asked rightly must be answered rightly.
    if not is_answer_bent:
        faults += found.faults_of_answer(answer)
    return [f"{found.name} → {answer.status}: {fault}" for fault in faults]
