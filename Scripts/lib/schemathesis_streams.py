"""Checks the answers without an end, for which schemathesis would wait for ever: reads their first lines.

schemathesis_streams.py URL TOKEN
"""

import http.client
import json
import sys
import urllib.parse

import jsonschema_rs

url, token = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2]
count = 0


def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers |= {"Authorization": "Bearer " + token} | ({"Content-Type": "application/json"} if body else {})
    connection.request(method, path, json.dumps(body) if body else None, headers)
    return connection.getresponse()


document = json.loads(ask("GET", "/openapi.json").read())
validators = {
    name: jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}, validate_formats=True
    )
    for name in ("HeadLine", "LiveLine", "RecordedEvent", "Problem")
}


def fits(schema, value):
    global count
    validators[schema].validate(value)
    count += 1
    return value


def expect(is_true, what):
    if not is_true:
        sys.exit(f"The answers without an end: {what}")


def append(stream, kind):
    answer = ask("POST", f"/streams/{stream}/events", {"type": kind, "payload": {"text": "é\n"}})
    text = answer.read()
    expect(answer.status == 201, f"an append is answered with {answer.status}: {text}")
    return json.loads(text)["events"][0]["position"]


def opened(path, media_type, **headers):
    answer = ask("GET", path, Accept=media_type, **headers)
    expect(answer.status == 200, f"{path} is answered with {answer.status}")
    found = answer.headers["Content-Type"]
    expect(found == media_type, f"{path} has the type {found}")
    return answer


def read_lines(answer, schema):
    while True:
        yield fits(schema, json.loads(answer.readline()))


def read_messages(answer):
    """Server-sent events: the fields of each message, or None for a comment."""
    while True:
        fields = {}
        while line := answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(":")
            expect(name in ("", "id", "event", "data"), f"a message has the line {line}")
            fields[name] = value.removeprefix(" ")
        if "" in fields:
            yield None
            continue
        data = json.loads(fields["data"])
        fits("RecordedEvent" if fields["event"] == "event" else "LiveLine", data)
        yield fields


first = append("streamed-1", "Streamed")
heads = read_lines(opened("/head", "application/x-ndjson"), "HeadLine")
expect(next(heads) == {"head": first}, "the first line of /head is not the last position")
second = append("streamed-1", "Streamed")
expect(next(heads) == {"head": second}, "the second line of /head is not the new position")
expect(next(heads) == {"heartbeat": True}, "/head has no heartbeat")

selection = f"after={first - 1}&category=streamed"
live = read_lines(opened(f"/events/live?{selection}", "application/x-ndjson"), "LiveLine")
expect([next(live)["event"]["position"] for _ in range(2)] == [first, second], "the recorded events are not sent")
expect(next(live) == {"caught_up": second}, "there is no line caught_up")
other = append("other-1", "Other")
expect(next(live) == {"progress": other}, "there is no line for an event that is not selected")
third = append("streamed-2", "Streamed")
expect(next(live)["event"]["position"] == third, "a new event is not sent")
expect(next(live) == {"heartbeat": True}, "there is no heartbeat")

messages = read_messages(opened(f"/events/live?{selection}", "text/event-stream", Last_Event_ID=str(second)))
message = next(messages)
expect((message["event"], message["id"]) == ("event", str(third)), f"the message after Last-Event-ID is {message}")
expect(next(messages)["event"] == "caught_up", "there is no message caught_up")
expect(next(messages) is None, "there is no heartbeat")

for query, headers, status in [
    ("after=-1", {}, 400), ("after=x", {}, 400), ("after=9223372036854775808", {}, 400), ("up_to=1", {}, 400),
    ("category=a-b", {}, 400), ("tags=%00", {}, 400), ("types=" + "x" * 256, {}, 400), ("query=[]", {}, 400),
    ("query={}", {}, 400), ('query={"items":[]}&types=A', {}, 400), ("", {"Last_Event_ID": "+5"}, 400),
    ("", {"Accept": "text/html"}, 406),
]:  # fmt: skip
    answer = ask("GET", "/events/live?" + urllib.parse.quote(query, safe="=&%"), **headers)
    expect(answer.status == status, f"/events/live?{query} {headers} is answered with {answer.status}")
    expect(answer.headers["Content-Type"] == "application/problem+json", f"the refusal of {query} is no problem")
    expect(str(status) in document["paths"]["/events/live"]["get"]["responses"], f"{status} is not documented")
    fits("Problem", json.loads(answer.read()))
print(f"{count} lines and messages of answers without an end fit their schemas.")
