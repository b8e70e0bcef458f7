"""Opens many followers of a running event store server, appends events, and checks that each gets all of them in order.

    followers.py http://127.0.0.1:8080 PID [--followers 2000] [--appends 200]

Prints how long it took, the server's memory for each follower, and the time of an append without and with followers.
Needs a server without tokens. The events are appended by a process of their own, one after the other.
"""

import argparse
import asyncio
import concurrent.futures
import http.client
import json
import re
import resource
import statistics
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("pid", type=int)
parser.add_argument("--followers", type=int, default=2000)
parser.add_argument("--appends", type=int, default=200)
parser.add_argument("--seconds", type=float, default=120, help="how long everything may take")
options = parser.parse_args()
host, port = re.fullmatch(r"http://([^:/]+):(\d+)/?", options.url).groups()
POSITION = re.compile(rb'\{"event":\{"position":(\d+)')


def append(count):
    """Appends events one after the other; answers with their positions and the seconds that each took."""
    connection = http.client.HTTPConnection(host, int(port), timeout=options.seconds)
    positions, times = [], []
    for number in range(count):
        body = json.dumps({"type": "Counted", "payload": {"number": number}})
        start = time.perf_counter()
        connection.request("POST", "/streams/counting-1/events", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        document = json.loads(answer.read())
        times.append(time.perf_counter() - start)
        if answer.status != 201:
            raise SystemExit(f"an append was answered with {answer.status}: {document}")
        positions.append(document["events"][0]["position"])
    return positions, times


def head():
    connection = http.client.HTTPConnection(host, int(port), timeout=options.seconds)
    connection.request("GET", "/head")
    return json.loads(connection.getresponse().read())["head"]


def memory():
    with open(f"/proc/{options.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) << 10


class Follower(asyncio.Protocol):
    """The positions that one follower has got."""

    def __init__(self, after, expected):
        self.after, self.expected = after, expected
        self.positions, self.rest, self.problem = [], b"", None
        loop = asyncio.get_running_loop()
        self.caught_up, self.done = loop.create_future(), loop.create_future()

    def connection_made(self, transport):
        self.transport = transport
        request = f"GET /events/live?after={self.after} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        transport.write(f"{request}Accept: application/x-ndjson\r\n\r\n".encode())

    def data_received(self, data):
        lines, newline, self.rest = (self.rest + data).rpartition(b"\n")
        if not newline:
            return
        if not self.caught_up.done() and b'{"caught_up":' in lines:
            self.caught_up.set_result(None)
        self.positions += [int(position) for position in POSITION.findall(lines)]
        if len(self.positions) >= self.expected and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error):
        for future in (self.caught_up, self.done):
            if not future.done():
                self.problem = f"the server ended the connection after {len(self.positions)} events: {error}"
                future.set_result(None)


async def open_followers(after, count, expected):
    """Opens them a hundred at a time, and waits until all have caught up."""
    loop = asyncio.get_running_loop()
    followers = []
    while len(followers) < count:
        some = min(100, count - len(followers))
        made = [loop.create_connection(lambda: Follower(after, expected), host, int(port)) for _ in range(some)]
        followers += [follower for _, follower in await asyncio.gather(*made)]
    await asyncio.gather(*[follower.caught_up for follower in followers])
    return followers


async def main(pool):
    loop = asyncio.get_running_loop()
    _, alone = await loop.run_in_executor(pool, append, options.appends)
    before = memory()
    start = time.perf_counter()
    followers = await open_followers(head(), options.followers, options.appends)
    opened = time.perf_counter() - start
    each = (memory() - before) / options.followers
    start = time.perf_counter()
    expected, beside = await loop.run_in_executor(pool, append, options.appends)
    appended = time.perf_counter() - start
    await asyncio.gather(*[follower.done for follower in followers])
    received = time.perf_counter() - start
    wrong = [follower for follower in followers if follower.positions != expected]
    for follower in followers:
        follower.transport.abort()

    def summary(times):
        median, mean, most = statistics.median(times), statistics.mean(times), max(times)
        return f"{median * 1000:.1f} ms (mean {mean * 1000:.1f}, most {most * 1000:.1f})"

    print(f"{len(followers)} followers opened in {opened:.1f} s, {each / 1024:.0f} kB each")
    print(f"{options.appends} appends in {appended:.1f} s, received by all after {received:.1f} s")
    print(f"median of an append: {summary(alone)} without followers, {summary(beside)} with them")
    print(f"memory {before >> 20} MB before, {memory() >> 20} MB after")
    if wrong:
        print(f"{len(wrong)} followers did not get all events in order; the first: {wrong[0].problem}")
        print(f"  {wrong[0].positions[:20]} instead of {expected[:20]}")
    return 1 if wrong else 0


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
if hard < options.followers + 100:
    raise SystemExit(f"{hard} open files are allowed here, which is too few for {options.followers} followers")

with concurrent.futures.ProcessPoolExecutor(1) as pool:
    pool.submit(head).result()  # starts the process before there are followers, which it would inherit
    try:
        sys.exit(asyncio.run(asyncio.wait_for(main(pool), options.seconds)))
    except TimeoutError:
        raise SystemExit(f"not done after {options.seconds} s") from None
