"""What Scripts/schemathesis adds to schemathesis: what JSON Schema cannot say about requests, and answers it does not read."""

import base64
import json
import random
import urllib.parse
import uuid

import schemathesis
from hypothesis import strategies

# JSON in strings: JSON Schema's contentMediaType and contentSchema are only remarks.
values = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(), inner, max_size=3),
    max_leaves=5,
)
names = strategies.text(min_size=1, max_size=40).filter(lambda name: name[0] != "$" and "\0" not in name)
objects = strategies.dictionaries(names, values, max_size=3)
texts = strategies.builds(
    lambda value, indent: json.dumps(value, indent=indent), values, strategies.sampled_from([None, 1])
)


def in_base64(text):
    return base64.b64encode(text.encode()).decode()


schemathesis.openapi.format("json", texts)
schemathesis.openapi.format("json-object", objects.map(json.dumps))
schemathesis.openapi.format("json-base64", texts.map(in_base64))
schemathesis.openapi.format("json-object-base64", objects.map(json.dumps).map(in_base64))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    visit(raw_schema)


def visit(node):
    if isinstance(node, list):
        for element in node:
            visit(element)
    if not isinstance(node, dict):
        return
    if node.get("contentMediaType") == "application/json":
        is_object = "object" in node.get("contentSchema", {}).get("type", [])
        node["format"] = (
            "json" + ("-object" if is_object else "") + ("-base64" if node.get("contentEncoding") == "base64" else "")
        )
    # The schema of JSON lines is that of each line.
    lines = node.get("application/x-ndjson")
    if isinstance(lines, dict) and "schema" in lines:
        lines["schema"] = {"type": "array", "items": lines["schema"]}
    for child in node.values():
        visit(child)


@schemathesis.deserializer("application/x-ndjson")
def lines(context, response):
    return [json.loads(line) for line in response.content.splitlines()]


last_position = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Chooses the type of the answer, and makes the parts of a valid request fit together."""
    types = case.operation.definition.raw.get("responses", {}).get("200", {}).get("content", {})
    if case.path == "/head":
        case.headers["Accept"] = "application/json"  # As lines, the answer has no end.
    elif len(types) > 1:
        case.headers["Accept"] = random.choice(list(types))
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # The streams of the examples should not spend the run deleted.
    if case.method == "DELETE" or case.path.endswith("/erase"):
        if case.path_parameters.get("stream") == "wallet-1":
            case.path_parameters["stream"] = f"wallet-{random.randrange(100)}"
    if "query" in case.query:
        for name in ("types", "tags", "category"):
            case.query.pop(name, None)
    in_order(case.query, "from", "to")
    expectations = [name for name in ("Expected-Version", "If-Match", "If-None-Match") if name in case.headers]
    for name in expectations[1:]:
        del case.headers[name]
    if case.headers.get("If-Match", "").isdigit():
        case.headers["If-Match"] = f'"{case.headers["If-Match"]}"'  # schemathesis takes the quotes off.
    if "Disco-Position" in case.headers:
        case.headers["Disco-Position"] = str(last_position)
    if isinstance(case.body, dict):
        # What the wallet's commands check: decimals of at most 38 digits, amounts greater than 0, and two wallets.
        for name in ("amount", "balance"):
            if name in case.body:
                case.body[name] = round(min(abs(case.body[name]), 1e12), 2) + (name == "amount")
        if case.path.endswith("/transfer_money") and case.body["from"] == case.body["to"]:
            case.body["to"] = str(uuid.uuid4())
        if case.path == "/pages":
            in_order(case.body, "from_version", "to_version", 1)
            in_order(case.body, "from_slice", "to_slice", 0)
        if case.path.startswith("/snapshots/"):
            for name in ("stream", "name", "fingerprint"):
                case.body[name] = urllib.parse.unquote(case.path_parameters[name])
    if case.path == "/streams/{stream}/events":
        for event in case.body if isinstance(case.body, list) else [case.body]:
            if isinstance(event, dict):
                event.pop("stream", None)


def in_order(values, lower, upper, least=None):
    """Makes the lower bound of a range at most as large as the upper one."""
    first, last = values.get(lower), values.get(upper)
    if first is None:
        first = least
    if last is not None and first is not None and int(first) > int(last):
        values[lower], values[upper] = last, first


@schemathesis.hook
def after_call(context, case, response):
    global last_position
    for value in response.headers.get("disco-position", []):
        last_position = max(last_position, int(value))


def outcomes(case, response):
    """The outcomes of a list of appends; None for another answer."""
    if case.path == "/appends" and response.status_code == 200:
        value = response.json()
        if isinstance(value, list):
            return value
    return None


@schemathesis.check
def valid_appends_are_accepted(context, response, case):
    """The appends of a list are refused one by one, so the status of the answer says nothing of them."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    refused = [outcome for outcome in outcomes(case, response) or [] if outcome.get("status") == 400]
    assert not refused, f"a valid append was refused: {refused[0]}"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    kind = type(failure).__name__
    # An invalid append in a list is refused in its outcome.
    if kind == "AcceptedNegativeData" and any("error" in outcome for outcome in outcomes(case, response) or []):
        return False
    # What does not fit into the 80 KiB that the document allows is refused before there is a route.
    return not (response.status_code == 400 and len(response.request.url) > 80 * 1024 and not response.content)
