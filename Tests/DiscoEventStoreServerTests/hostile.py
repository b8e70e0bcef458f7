"""Sends hostile input to a running event store server, and checks that each piece is refused cleanly.

    hostile.py http://127.0.0.1:8080 PID --request-time 2 --idle-time 3 --unread-time 2

Clean is an answer below 500 (or 501 and 503 with their own codes), whose document is a problem if it is a refusal; or,
where the input is no HTTP, a bare 400 or the end of the connection. After each group of cases, the server still answers
within two seconds, and its resident memory has grown by no more than MEMORY bytes since the start.
Needs a server without tokens on an SQLite store, so that the events it records are not in its memory.
"""

import argparse
import concurrent.futures
import json
import re
import resource
import socket
import sys
import time
import uuid
import zlib

MEMORY = 192 << 20  # bytes by which the resident memory may grow, whatever was sent
SILENT = 2000  # connections without a word, if the limit of open files allows
SLACK = 15  # seconds beyond a limit of the server, on a busy machine

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("pid", type=int)
parser.add_argument("--request-time", type=float, default=2)
parser.add_argument("--idle-time", type=float, default=3)
parser.add_argument("--unread-time", type=float, default=2)
options = parser.parse_args()
host, port = re.fullmatch(r"http://([^:/]+):(\d+)/?", options.url).groups()
address = (host, int(port))
HOST = b"Host: %s:%s\r\n" % (host.encode(), port.encode())
JSON = b"Content-Type: application/json\r\n"

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

failures = []
checks = 0
ending = []  # what is open after its answer, and must be ended by the server: name, connection and since when


def fail(name, why):
    failures.append(f"{name}: {why}")
    print(f"FAILED {name}: {why}", flush=True)


class Hang(Exception):
    """The server neither answered nor closed the connection in time."""


class Connection:
    """One connection, whose answers are read as a careful client reads them."""

    def __init__(self, receive=None):
        self.socket = socket.socket()
        if receive:  # how much the kernel keeps of what is not read
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(10)
        self.socket.connect(address)
        self.port = self.socket.getsockname()[1]
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends as much as the server takes; a server that has closed the connection takes nothing."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def end(self):
        """Ends the sending side."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def more(self, deadline):
        """Whether there was more to read; raises Hang at the deadline."""
        self.socket.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = self.socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            raise Hang(f"nothing after {self.buffer[-80:]!r}") from None
        except OSError:
            data = b""
        self.buffer += data
        return bool(data)

    def answer(self, method="GET", within=None):
        """The next answer: (status, headers, body); None if the connection ends without one.

        method: that of the request, or FOLLOW, whose answer goes on for ever.
        """
        deadline = time.monotonic() + (within or options.request_time + options.idle_time + SLACK)
        while b"\r\n\r\n" not in self.buffer:
            if not self.more(deadline):
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin1").split("\r\n")
        status = int(re.fullmatch(r"HTTP/1\.[01] (\d{3}) .*", first).group(1))
        headers = {}
        for line in lines:
            name, value = line.split(": ", 1)
            headers.setdefault(name.lower(), value)
        if status == 100:
            return self.answer(method, within)
        if method == "HEAD" or status in (204, 304) or method == "FOLLOW" and status == 200:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                while b"\r\n" not in self.buffer and self.more(deadline):
                    pass
                size, _, self.buffer = self.buffer.partition(b"\r\n")
                while len(self.buffer) < int(size, 16) + 2 and self.more(deadline):
                    pass
                body += self.buffer[: int(size, 16)]
                self.buffer = self.buffer[int(size, 16) + 2 :]
                if int(size, 16) == 0:
                    return status, headers, body
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length and self.more(deadline):
            pass
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, headers, body


def is_clean(answer, method="GET"):
    """Why an answer is not a clean one, or None."""
    status, headers, body = answer
    if status >= 500 and status not in (501, 503):
        return f"{status} {body[:200]!r}"
    if status < 400 or method == "HEAD":
        return None
    if status == 400 and not body and headers.get("connection") == "close":
        return None  # what is no HTTP gets no document
    if headers.get("content-type") != "application/problem+json":
        return f"{status} without a problem document: {headers}"
    problem = json.loads(body)
    if problem["status"] != status or not problem["error"] or not problem["detail"]:
        return f"{status} with the document {body[:200]!r}"
    return None


def request(target, body=None, method=None, headers=b""):
    """The bytes of a request."""
    target = target if isinstance(target, bytes) else target.encode()
    method = (method or ("GET" if body is None else "POST")).encode()
    if body is not None:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers += b"Content-Length: %d\r\n" % len(body)
        if b"content-type" not in headers.lower():
            headers += JSON
    return b"%s %s HTTP/1.1\r\n%s%s\r\n%s" % (method, target, HOST, headers, body or b"")


def expect(name, statuses, *pieces, method="GET", pause=0, closes=False, end=False, within=None):
    """Sends the pieces and expects one of the statuses, where None stands for the end of the connection.

    pause: seconds between the pieces; closes: whether the server must end the connection after the answer; end: whether
    the sending side ends after the pieces.
    """
    global checks
    checks += 1
    statuses = statuses if isinstance(statuses, (tuple, set)) else (statuses,)
    connection = Connection()
    try:
        for piece in pieces:
            connection.send(piece)
            if pause:
                time.sleep(pause)
        if end:
            connection.end()
        answer = connection.answer(method, within)
        status = answer and answer[0]
        if answer and (why := is_clean(answer, method)):
            fail(name, why)
        elif statuses != (...,) and status not in statuses:
            fail(name, f"{status} instead of {statuses}: {answer and answer[2][:200]!r}")
        return answer
    except Hang as hang:
        fail(name, f"hangs: {hang}")
    except (ValueError, KeyError, AttributeError) as error:
        fail(name, f"answer is not HTTP: {error!r}")
    finally:
        if closes:
            ending.append((name, connection, time.monotonic()))
        else:
            connection.socket.close()


def memory():
    with open(f"/proc/{options.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) << 10


def stream():
    return f"hostile-{uuid.uuid4()}"


def event(**members):
    return {"type": "T", "payload": {}, **members}


def append(events, target=None, **more):
    return request(target or f"/streams/{stream()}/events", events, **more)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = b"Transfer-Encoding: chunked\r\n"


def large_bodies():
    size = 9 << 20
    expect("declared 9 MB", 413, b"POST /appends HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n" % (HOST, JSON, size))
    expect("sent 9 MB", 413, append(b"[" + b" " * size + b"]"), closes=True)
    head = b"POST /appends HTTP/1.1\r\n" + HOST + JSON + CHUNKED + b"\r\n"
    expect("chunked 9 MB", 413, head, *[chunk(b" " * (1 << 20))] * 9, closes=True)
    expect("chunked without end", 413, head, *[chunk(b" " * (1 << 20))] * 40, closes=True)
    expect("chunks of one byte", (400, 408), head, chunk(b"[") + chunk(b" ") * 200_000 + b"0\r\n\r\n")
    expect("body of a GET", 200, request("/head", b" " * size, method="GET"))
    expect("body of an unknown path", 404, request("/nowhere", b" " * size))
    expect("declared 1 TB", 413, b"POST /appends HTTP/1.1\r\n%s%sContent-Length: 1099511627776\r\n\r\n" % (HOST, JSON))
    expect("8 MB string", (201, 413), append(event(payload="x" * (8_000_000))))
    expect("8 MB type", (400, 413), append(event(type="x" * 8_000_000)))
    expect("100,000 events", 413, append([event()] * 100_000))
    expect("10,000 events", 201, append([event()] * 10_000), within=60)
    for count in (513, 1000, 1001):
        appends = [{"events": [event(stream=stream())]}] * count
        expect(f"{count} appends", 200 if count <= 1000 else 413, request("/appends", appends), within=60)
    expect("a million appends", 413, request("/appends", b"[" + b"{}," * 1_000_000 + b"{}]"))


def broken_bodies():
    head = b"POST /appends HTTP/1.1\r\n" + HOST + JSON
    expect("truncated body, ended", (400, None), head + b"Content-Length: 100\r\n\r\n{", end=True)
    expect("truncated body, silent", (408, None), head + b"Content-Length: 100\r\n\r\n{", closes=True)
    expect("truncated chunk, ended", (400, None), head + CHUNKED + b"\r\n10\r\n{", end=True)
    expect("invalid chunk size", (400, None), head + CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n", closes=True)
    expect("invalid chunk size later", (400, None), head + CHUNKED + b"\r\n", chunk(b"{"), b"zz\r\n", pause=0.2)
    expect("huge chunk size", (400, 413, None), head + CHUNKED + b"\r\nffffffffffffffffff\r\n{}\r\n")
    expect("negative chunk size", (400, None), head + CHUNKED + b"\r\n-2\r\n{}\r\n")
    expect("long chunk extension", (400, 408, None), head + CHUNKED + b"\r\n2;" + b"x" * 2_000_000 + b"\r\n{}\r\n")
    expect("long trailers", (400, 413, None), head + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 100_000, b"\r\n")
    expect("invalid UTF-8", 400, append(b'{"type":"\xff\xfe","payload":{}}'))
    expect("UTF-8 of a surrogate", 400, append(b'{"type":"\xed\xa0\x80","payload":{}}'))
    expect("overlong UTF-8", 400, append(b'{"type":"\xc0\x80","payload":{}}'))
    expect("half of a surrogate pair", 400, append(rb'{"type":"\ud800","payload":{}}'))
    expect("UTF-16", 400, append('{"type":"T"}'.encode("utf-16")))
    expect("byte order mark", 400, append(b'\xef\xbb\xbf{"type":"T"}'))
    expect("NUL in a name", 400, append(rb'{"type":"a\u0000b","payload":{}}'))
    expect("raw NUL", 400, append(b'{"type":"a\x00b"}'))
    expect("no JSON", 400, append(b"hello"))
    expect("empty body", 400, append(b""))
    expect("text", 415, append(event(), headers=b"Content-Type: text/plain\r\n"))
    expect("form", 415, append(b"a=b", headers=b"Content-Type: application/x-www-form-urlencoded\r\n"))
    expect("no type", 415, b"POST /appends HTTP/1.1\r\n%sContent-Length: 2\r\n\r\n{}" % HOST)
    expect("invalid type", 415, append(event(), headers=b"Content-Type: \xff\xff;;;=\r\n"))
    packed = zlib.compress(json.dumps(event()).encode(), wbits=31)
    expect("gzip", 415, append(packed, headers=JSON + b"Content-Encoding: gzip\r\n"))
    expect("gzip that is none", 415, append(event(), headers=JSON + b"Content-Encoding: gzip\r\n"))


def json_bodies():
    for name, body in {
        "deep array": b"[" * 100_000 + b"]" * 100_000,
        "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "deep array without end": b"[" * 8_000_000,
    }.items():
        expect(name, 400, append(body))
        expect(f"{name} as appends", 400, request("/appends", body))
        expect(f"{name} as payload", (400,), append(b'{"type":"T","payload":' + body[:7_000_000] + b"}"))
        expect(f"{name} as a read", 400, request("/pages", body))
        expect(f"{name} as state", 400, request("/snapshots/a-1/S/f", body, method="PUT"))
    expect("duplicate members", 400, append(b'{"type":"T","type":"U","payload":{}}'))
    expect("many members", 400, append(b"{" + b",".join(b'"a%d":1' % i for i in range(300_000)) + b"}"))
    expect("many members as payload", (201, 400), append(
        b'{"type":"T","payload":{' + b",".join(b'"a%d":1' % i for i in range(300_000)) + b"}}"))
    for number in ("1e400", "-1e400", "1" * 100_000, "0." + "1" * 100_000, "1e99999999999", "-0", "01", "NaN"):
        expect(f"{number[:12]} as payload", (201, 400), append(f'{{"type":"T","payload":{number}}}'.encode()))
        expect(f"{number[:12]} as version", 400, append(f'{{"type":"T","type_version":{number}}}'.encode()))
        expect(f"{number[:12]} as position", (200, 400), request("/pages", f'{{"after":{number}}}'.encode()))
    largest = 2**63 - 1
    for read in (
        {"after": largest}, {"after": -1}, {"up_to": largest}, {"up_to": -largest - 1}, {"after": 2**63},
        {"limit": -1}, {"limit": 0}, {"limit": largest}, {"byte_limit": -1}, {"byte_limit": largest, "limit": largest},
        {"from_version": 5, "to_version": 1}, {"from_version": -largest, "to_version": largest},
        {"from_version": largest}, {"to_version": largest, "from_version": largest}, {"from_slice": 9, "to_slice": 2},
        {"from_slice": -1}, {"from_slice": 0, "to_slice": largest}, {"as_of": "x" * 100_000}, {"as_of": largest},
        {"as_of": "9999-12-31T23:59:59.999999Z"}, {"as_of": "0000-01-01T00:00:00Z"}, {"settles": True},
        {"as_of": "999999999999-01-01T00:00:00Z"}, {"direction": "sideways"}, {"query": []}, {"query": {"items": []}},
        {"after": largest, "direction": "backward"}, {"up_to": 0, "direction": "backward"},
        {"query": {"items": [{}] * 100_000}}, {"query": {"items": [{"tags": ["a:b"] * 100_000}]}},
        {"query": {"items": [{"types": [f"T{i}" for i in range(1000)]}]}},
        {"query": {"items": [{"types": ["T"], "tags": [f"a:{i}"]} for i in range(500)]}},
        {"query": {"items": [{"category": f"a{i}"} for i in range(1000)]}},
    ):  # fmt: skip
        expect(f"read {json.dumps(read)[:70]}", (200, 400, 408), request("/pages", read))
    for query in ({"items": [{"types": [f"T{i}"]} for i in range(1000)]}, {"items": [{}] * 200_000}):
        one = {"events": [event(stream=stream())], "condition": {"query": query, "after": largest}}
        expect("condition of many items", (201, 400, 408, 409), request("/appends", one))
    for expected in ({"a-1": largest}, {"a-1": -1}, {"a-1": 2**63}, {"": 1}, {"a-1": "x"}, {"a-1": 1.5}, [], "any"):
        one = {"events": [event(stream=stream())], "expect": expected}
        expect(f"expect {expected}", (201, 400, 409), request("/appends", one))
    many = {f"a-{i}": "none" for i in range(100_000)}
    expect("100,000 expectations", (201, 400, 409, 413), request(
        "/appends", {"events": [event(stream=stream())], "expect": many}), within=60)  # fmt: skip
    expect("100,000 tags", 413, append(event(tags=[f"t:{i}" for i in range(100_000)])))
    expect("1,000 tags", 201, append(event(tags=[f"t:{i}" for i in range(1000)])))
    many = [event(metadata={"a": "b" * 300})] * 10_000
    expect("10,000 events with metadata", (201, 408, 413), append(many), within=60)


def paths():
    for target in (
        "/../etc/passwd", "/streams/../head", "/%2e%2e/%2e%2e/etc/passwd", "/streams/%2e%2e/events", "//", "//head",
        "/head/", "/streams//events", "/%zz", "/%", "/%f", "/%ff", "/streams/%ff/events", "/streams/%00/events",
        "/streams/a%00b/events", "/streams/%c0%80/events", "/streams/%ed%a0%80/events", "/streams/%0d%0aX:y/events",
        "/streams/a%2fb/events", "/problems/..%2f..%2fetc%2fpasswd", "/problems/%3cscript%3e", "/events/%00",
        "/events/" + "9" * 60_000, "/streams/" + "x" * 60_000 + "/events", "/" + "a/" * 30_000, "/" + "/" * 60_000,
        "/snapshots/" + "%41" * 20_000 + "/b/c", "/keys/" + "k" * 60_000, "/keys/%00", "/keys/%0a", "http://x/head",
        f"http://{host}:{port}/head", "https://evil.example/", "*", "head", "?", "/?", "/head?", "/head?=", "/head?&&",
        "/head#fragment", "/events?limit=1?limit=2", "/streams/%F0%9F%98%80/events", "/head;a=b", "/HEAD",
    ):  # fmt: skip
        expect(f"path {target[:60]}", (200, 400, 404, 405, 421), request(target))
    for raw in (b"/\xff\xfe", b"/streams/\xc3\xa9/events", b"/a b", b"/a\tb", b"/a\x00b", b"/a\x7fb", b"/\x01", b"\\"):
        expect(f"raw path {raw!r}", (400, 404, None), request(raw))
    expect("very long path", (400, 404, 414, None), request("/" + "x" * 1_000_000))
    expect("path without end", (400, 414, None), b"GET /" + b"x" * 20_000_000)
    largest = 2**63 - 1
    for query in (
        "after=" + str(largest), "after=-1", "after=" + "9" * 1000, "after=%00", "after=%ff", "after=%zz", "after=1e3",
        "after= 1", "after=%2b1", "after=١", "limit=0", "limit=10001", "limit=-1", "up_to=" + str(largest), "types=",
        "types=" + "," * 60_000, "types=" + "T," * 900, "types=" + "T," * 30_000, "tags=" + "a:b," * 10_000, "tags=%00",
        "category=%00", "category=%0d%0a", "query=%5B", "query=null", "query={}", "query=" + "[" * 50_000, "q=1",
        "as_of=never", "as_of=" + "9" * 50_000, "after=1&after=2", "direction=up", "%00=1", "limit", "=",
        "&".join(f"{i}" for i in range(9_000)), "types=%25", "types=" + "%00" * 1000,
    ):  # fmt: skip
        for path in ("/events", "/events/live", "/streams/a-1/events", "/streams", "/counts", "/verify", "/keys"):
            target = f"{path}?{query}".encode()
            method = "FOLLOW" if path == "/events/live" else "GET"
            expect(f"{path}?{query[:50]}", (200, 400, 404, 405, 408, None), request(target), method=method)
    expect("100,000 parameters", (400, 414, None), request("/events?" + "&".join(f"a{i}=1" for i in range(100_000))))
    for query in (f"from={largest}", f"to={largest}", f"from={largest}&to={largest}", "from=2&to=1", "from=0", "to=0"):
        expect(f"versions {query}", (200, 400, 404), request(f"/streams/a-1/events?{query}"))
    for query in (f"after={largest}", f"after={largest}&up_to=0", f"up_to={largest}", "after=5&up_to=1"):
        expect(f"counts {query}", (200, 400), request(f"/counts?{query}"))
    for date in ("9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z", "99999-01-01T00:00:00Z", "2024-02-30T00:00:00Z"):
        expect(f"keys before {date}", (200, 400), request(f"/keys?stored_before={date}", method="DELETE"))


def header_injection():
    injected = "%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0a"
    for target in (f"/streams/a{injected}-1/events", f"/streams/a-{injected}/events", "/streams/a-%00/events"):
        answer = expect(f"append to {target}", (201, 400), request(target, event()))
        if answer and "set-cookie" in answer[1]:
            fail(target, f"wrote a header of the caller: {answer[1]}")
    for key in (b"a\x00b", b"a\rb", b"a\nX: y", b"\xff\xfe", b"k" * 70_000, b"\xc3\xa9", b"", b" ", b"a\x7fb", b"a\tb"):
        raw = request(f"/streams/{stream()}/events", event(), headers=JSON + b"Idempotency-Key: " + key + b"\r\n")
        expect(f"key {key[:10]!r}", (200, 201, 400, 413, 422, 431, None), raw)
    for header in (
        b"Expected-Version: 99999999999999999999", b"Expected-Version: -1", b"Expected-Version: \xff", b'If-Match: "',
        b'If-Match: "9223372036854775807"', b"If-None-Match: x", b"Expected-Version: 1\r\nIf-Match: *", b"If-Match: W/",
        b"Expected-Version: 1\r\nExpected-Version: 2", b"Disco-API: 2", b"Disco-API: " + b"1" * 50_000,
        b"Authorization: Bearer " + b"x" * 70_000, b"Authorization: \xff\xff", b"Authorization: Basic Og==",
        b"Accept: x",
        b"Accept: " + b"a/b," * 15_000, b"Accept: \xff", b"Origin: null", b"Origin: http://evil", b"Origin: \xff",
        b"Origin: http://" + host.encode() + b".evil:" + port.encode(), b"traceparent: " + b"x" * 60_000,
        b"Sec-Fetch-Site: cross-site",
    ):  # fmt: skip
        expect(header[:40].decode("latin1"), ..., append(event(), headers=JSON + header + b"\r\n"))
    for position in (b"9223372036854775808", b"-1", b"x", b"\xff", b"1e5"):
        expect(f"Last-Event-ID {position!r}", 400, request("/events/live", headers=b"Last-Event-ID: %s\r\n" % position))


def broken_http():
    line = b"GET /head HTTP/1.1\r\n"
    expect("100 kB header", (400, 431, None), request("/head", headers=b"X: " + b"x" * 100_000 + b"\r\n"), closes=True)
    expect("header without end", (400, 431, None), line + HOST + b"X: " + b"x" * 20_000_000, closes=True)
    expect("1,000 headers", (200, 400, 431, None), request("/head", headers=b"X: y\r\n" * 1000))
    expect("100,000 headers", (400, 431, None), request("/head", headers=b"X: y\r\n" * 100_000), closes=True)
    expect("headers without end", (400, 431, None), line + HOST + b"X: y\r\n" * 2_000_000, closes=True)
    expect("folded header", (200, 400, None), request("/head", headers=b"X: a\r\n b\r\n"))
    expect("space before the colon", (400, None), request("/head", headers=b"X : a\r\n"))
    expect("header without a name", (400, None), request("/head", headers=b": a\r\n"))
    expect("header without a colon", (400, None), request("/head", headers=b"hello\r\n"))
    expect("NUL in a header", (400, None), request("/head", headers=b"X: a\x00b\r\n"))
    expect("control characters in a header", (400, None), request("/head", headers=b"X: a\x01\x02b\r\n"))
    expect("bare line feeds", (200, 400, None), line.replace(b"\r", b"") + HOST.replace(b"\r", b"") + b"\n")
    expect("no host", 421, b"GET /head HTTP/1.1\r\n\r\n")
    expect("another host", 421, b"GET /head HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    expect("two hosts", (400, 421, None), line + b"Host: evil.example\r\n" + HOST + b"\r\n")
    expect("invalid host", 421, b"GET /head HTTP/1.1\r\nHost: 127.0.0.1:80:80@[::1]\r\n\r\n")
    post = b"POST /appends HTTP/1.1\r\n" + HOST + JSON
    body = json.dumps({"events": [event(stream=stream())]}).encode()
    smuggled = request("/smuggled")
    for name, head in {
        "two lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n",
        "two equal lengths": b"Content-Length: 2\r\nContent-Length: 2\r\n",
        "list of lengths": b"Content-Length: 2, 3\r\n",
        "negative length": b"Content-Length: -1\r\n",
        "signed length": b"Content-Length: +2\r\n",
        "hexadecimal length": b"Content-Length: 0x2\r\n",
        "huge length": b"Content-Length: 99999999999999999999999\r\n",
        "length and chunked": b"Content-Length: 4\r\n" + CHUNKED,
        "chunked and length": CHUNKED + b"Content-Length: 4\r\n",
        "unknown transfer encoding": b"Transfer-Encoding: xchunked\r\n",
        "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n",
        "chunked, then gzip": b"Transfer-Encoding: chunked, gzip\r\n",
        "transfer encoding with a tab": b"Transfer-Encoding:\tchunked\x0b\r\n",
    }.items():
        answer = expect(name, (400, 411, 413, 415, 501, None), post + head + b"\r\n{}" + smuggled, closes=True)
        if answer and b"smuggled" in answer[2]:
            fail(name, "answered the smuggled request")
    large = b"Expect: 100-continue\r\n"
    expect("expectation", (201, 408), post + large + b"Content-Length: %d\r\n\r\n" % len(body), body, pause=0.5)
    expect("expectation of too much", 413, post + large + b"Content-Length: 9999999999\r\n\r\n")
    expect("unknown expectation", ..., post + b"Expect: miracles\r\nContent-Length: %d\r\n\r\n" % len(body), body)
    expect("HTTP/0.9", (400, None), b"GET /head\r\n", closes=True)
    expect("HTTP/0.9 with line feeds", (400, None), b"GET /head\n\n")
    expect("HTTP/1.0", (200, 421), b"GET /head HTTP/1.0\r\n" + HOST + b"\r\n")
    expect("HTTP/2 preface", (400, 404, 405, 505, None), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64), closes=True)
    expect("HTTP/3.7", (400, 505, None), b"GET /head HTTP/3.7\r\n" + HOST + b"\r\n")
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    expect("upgrade to HTTP/2", 200, request("/head", headers=upgrade))
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(range(200))
    expect("TLS", (400, None), hello, closes=True)
    expect("binary", (400, None), bytes(range(256)) * 400, closes=True)
    expect("empty lines", (200, 400, None), b"\r\n" * 100_000 + request("/head"))
    expect("nothing, ended", None, end=True)
    expect("half a request line", (400, 408, None), b"GET /he", closes=True)
    expect("half a request line, ended", (400, None), b"GET /he", end=True)
    expect("half a header", (400, 408, None), line + b"Ho", closes=True)
    expect("invalid method", (400, 405, None), request("/head", method="G\xebT"))
    expect("unknown method", (400, 405, 501, None), request("/head", method="BREW"))


def methods():
    """Every path of the API with every method, as the document has them, without a body and with one."""
    answer = expect("document", 200, request("/openapi.json"))
    paths = {} if answer is None else json.loads(answer[2])["paths"]
    every = "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PROPFIND PURGE".split()
    for path, operations in paths.items():
        target = re.sub(r"\{\w+\}", "a-1", path)
        for method in every:
            for body in (None, {}):
                name = f"{method} {path}"
                if path == "/events/live" and method == "GET":
                    continue  # goes on for ever
                answer = expect(name, ..., request(target, body, method=method), method=method)
                if method.lower() in operations or answer is None or method == "CONNECT":
                    continue
                if answer[0] not in (400, 405):
                    fail(name, f"{answer[0]}, but the document does not know the method")


def pipelining():
    with Connection() as connection:
        count = 500
        connection.send(request("/version") * count)
        for _ in range(count):
            if (answer := connection.answer()) is None or answer[0] != 200:
                fail("pipelined requests", f"one was answered with {answer}")
                break
    with Connection() as connection:  # a refusal in between does not put the answers out of order
        connection.send(request("/version") + request("/nowhere", b"{}") + append(b"[") + request("/version"))
        statuses = [answer and answer[0] for answer in (connection.answer() for _ in range(4))]
        if statuses != [200, 404, 400, 200]:
            fail("pipelined refusals", f"{statuses}")
    with Connection(receive=4096) as connection:  # a caller that asks and never reads
        connection.socket.settimeout(0.5)
        try:
            for _ in range(200):
                connection.socket.sendall(request("/openapi.json") * 100)
        except OSError:
            pass
        must_end("pipelined requests, never read", [connection], options.unread_time + options.idle_time)


def held_by_server():
    """The ports of the callers whose connections the server has not closed, as the kernel knows them.

    A caller that reads nothing does not see the end of its connection, which comes behind what it has not read.
    """
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file][1:]
    # Local and remote address, the state, and the inode of the socket: 0 before it is accepted and once it is closed,
    # when its state is no longer ESTABLISHED or CLOSE_WAIT.
    held = [row for row in rows if row[9] != "0" or row[3] in ("01", "08")]
    return {int(row[2][-4:], 16) for row in held if int(row[1][-4:], 16) == address[1]}


def must_end(name, connections, within):
    """Expects the server to end the connections although nothing is read of them."""
    global checks
    checks += 1
    ports = {connection.port for connection in connections}
    deadline = time.monotonic() + within + SLACK
    while (waiting := ports & held_by_server()) and time.monotonic() < deadline:
        time.sleep(0.1)
    if waiting:
        fail(name, f"{len(waiting)} of {len(connections)} connections are still open after {within + SLACK} s")


def slow_bodies():
    """Bodies at a few bytes a second: never silent, and yet cut off when the time for a request is over, or soon after
    the answer if it did not wait for the body."""
    connections = [Connection() for _ in range(50)]
    for index, connection in enumerate(connections):
        path = (b"/appends", b"/nowhere", b"/streams/a-1/restore")[index // 2 % 3]
        head = b"POST " + path + b" HTTP/1.1\r\n" + HOST + JSON
        connection.send(head + (CHUNKED + b"\r\n" if index % 2 else b"Content-Length: 100000\r\n\r\n"))
    answers = {}
    start = time.monotonic()
    open_ones = dict(enumerate(connections))
    while open_ones and time.monotonic() - start < options.request_time + 2 * options.idle_time + 2 * SLACK:
        for index, connection in list(open_ones.items()):
            connection.send(chunk(b" ") if index % 2 else b" ")
            connection.socket.setblocking(False)
            try:
                data = connection.socket.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            finally:
                connection.socket.setblocking(True)
            answers[index] = answers.get(index, b"") + data
            if not data:
                del open_ones[index]
        time.sleep(0.25)
    if open_ones:
        fail("slow bodies", f"{len(open_ones)} connections are still open after {time.monotonic() - start:.0f} s")
    for index, answer in answers.items():
        if answer and not re.match(rb"HTTP/1.1 (408|404)", answer):
            fail("slow bodies", f"answered {answer[:100]!r}")
            break
    for connection in connections:
        connection.socket.close()


def slow_heads():
    """Request lines and headers at a few bytes a second, which are cut off when the idle time is over."""
    connections = [Connection() for _ in range(50)]
    start = time.monotonic()
    while time.monotonic() - start < options.idle_time + SLACK:
        for connection in connections:
            connection.send(b"G" if time.monotonic() - start < 1 else b"X")
        time.sleep(0.25)
    must_end("slow heads", connections, 0)


def silent_connections():
    count = min(SILENT, hard - 200)
    print(f"  {count} silent connections; {hard} open files are allowed here", flush=True)
    before = memory()
    connections = []
    try:
        for index in range(count):
            connections.append(Connection())
            if index % 3 == 1:
                connections[-1].send(b"GET /head HT")
            if index % 3 == 2:
                connections[-1].send(b"POST /appends HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 8000000\r\n\r\n{")
            if index % 500 == 0:
                expect("asked beside silent connections", 200, request("/head"), within=2 + SLACK)
    except OSError as error:
        fail("silent connections", f"{len(connections)} of {count} were accepted: {error}")
    print(f"  {(memory() - before) / count / 1024:.0f} kB each", flush=True)
    must_end("silent connections", connections, options.idle_time + options.request_time)
    for connection in connections:
        connection.socket.close()


def unread_followers():
    """Followers that never read, while large events are appended: they are cut off, and nothing is kept for them."""
    followers = [Connection(receive=4096) for _ in range(50)]
    for index, follower in enumerate(followers):
        kind = (b"application/x-ndjson", b"text/event-stream")[index % 2]
        follower.send(request("/events/live", headers=b"Accept: " + kind + b"\r\n"))
    print(f"  {len(followers)} followers do not read", flush=True)
    highest = 0
    for _ in range(10):
        expect("append beside followers", (201, 503), append(event(payload="x" * 1_000_000)), within=20)
        highest = max(highest, memory())
    must_end("unread followers", followers, options.unread_time + options.request_time)
    print(f"  at most {(highest - baseline) >> 20} MB more memory", flush=True)
    for follower in followers:
        follower.socket.close()
    readers = [Connection(receive=4096) for _ in range(50)]
    for reader in readers:
        reader.send(request("/events?limit=10000&direction=backward"))
    must_end("unread pages", readers, options.request_time + options.unread_time + options.idle_time)
    for reader in readers:
        reader.socket.close()
    with Connection() as follower:  # gone in the middle of a line
        follower.send(request("/events/live"))
        follower.more(time.monotonic() + SLACK)


def many_large_bodies():
    """Large bodies on many connections, none of which is ever complete."""
    connections = [Connection() for _ in range(20)]
    head = b"POST /appends HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 8000000\r\n\r\n"
    for connection in connections:
        connection.send(head + b" " * 4_000_000)
    print(f"  {(memory() - baseline) >> 20} MB more memory for {len(connections)} bodies of 4 MB", flush=True)
    must_end("many large bodies", connections, options.request_time + options.idle_time)
    for connection in connections:
        connection.socket.close()


def ends():
    """The connections that the server must end after its answer."""
    held = held_by_server()
    for name, connection, since in ending:
        if connection.port in held:
            must_end(name, [connection], max(0, since + options.idle_time + options.request_time - time.monotonic()))
        connection.socket.close()
    ending.clear()


def all_at_once(*groups):
    """A group that does what others do, all of them at once: they wait most of their time."""

    def run():
        with concurrent.futures.ThreadPoolExecutor(len(groups)) as pool:
            for group in [pool.submit(group) for group in groups]:
                group.result()

    run.__name__ = ", ".join(group.__name__ for group in groups)
    return run


groups = [
    large_bodies, paths, header_injection, methods,
    all_at_once(json_bodies, broken_bodies, broken_http, pipelining, slow_bodies, slow_heads),
    silent_connections, ends, many_large_bodies, unread_followers,
]  # fmt: skip

for _ in range(3):  # what the server keeps once it has worked is no growth
    expect("warm-up", (201, 413), append(event(payload="x" * 4_000_000)))
    expect("warm-up", 200, request("/events?limit=100"))
baseline = memory()
print(f"{baseline >> 20} MB resident at the start", flush=True)
for group in groups:
    start = time.monotonic()
    before = checks
    try:
        group()
        expect(f"after {group.__name__}", 200, request("/head"), within=2 + SLACK)
        growth = memory() - baseline
    except (OSError, Hang) as error:
        fail(group.__name__, repr(error))
        break
    if growth > MEMORY:
        fail(group.__name__, f"the memory has grown by {growth >> 20} MB")
    seconds = time.monotonic() - start
    print(f"{group.__name__}: {checks - before} checks in {seconds:.1f} s, memory {growth >> 20:+} MB", flush=True)

print(f"{checks} checks, {len(failures)} failures")
sys.exit(1 if failures else 0)
