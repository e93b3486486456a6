"""Every recorded exchange with a real TimeLock that concerns our calls: the client understands each as the rules say,
and the simulated server answers each alike."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from atlasdb_recovery.practice.simulated.timelock.asked import Asked
from atlasdb_recovery.practice.simulated.timelock.ensemble import Ensemble
from atlasdb_recovery.practice.simulated.timelock.pages import Reply
from atlasdb_recovery.practice.simulated.timelock.replies import Replies
from atlasdb_recovery.timestamps.answers import NotUnderstood, timestamp_of
from atlasdb_recovery.timestamps.servers import Request
from atlasdb_recovery.timestamps.service import TimestampServiceRefused
from atlasdb_recovery.timestamps.timelock_servers import timelock_servers
from tests.timestamps.timelock_transcripts import Exchange, exchanges, transcript

ONE_NODE = ("01-legacy.txt", "02-conjure.txt", "03-fastforward.txt", "04-huge.txt", "05-namespaces.txt")
NOT_OURS = re.compile(
    r"/tl/lt/|/timelock/(leader-time|current-time-millis)|LifecycleId|/leader/uuid|/healthcheck|Active"
)
ADDRESSES = ("https://127.0.0.1:18421", "https://127.0.0.1:18422", "https://127.0.0.1:18423")


def ours(name: str) -> list[Exchange]:
    return [exchange for exchange in exchanges(name) if not NOT_OURS.search(exchange.target)]


def told(body: bytes) -> object:
    """What a body says, but for what is different in each: the id of an error, the order of a set."""
    try:
        said = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return body
    if isinstance(said, dict):
        said.pop("errorInstanceId", None)
    return sorted(said) if isinstance(said, list) else said


def assert_alike(reply: Reply, exchange: Exchange) -> None:
    shown = f"{exchange.title}: {exchange.method} {exchange.target}"
    assert reply.status == exchange.status, shown
    assert told(reply.body) == told(exchange.body), shown
    kinds = {"content-type", "location", "cache-control"}
    answered = {name.lower(): value for name, value in reply.headers.items()}
    assert {n: v for n, v in answered.items() if n in kinds} == {
        n: v for n, v in exchange.answered.items() if n in kinds
    }, shown
    if exchange.status in {401, 404, 500, 503}:
        assert len(reply.body) == int(exchange.answered["content-length"]), shown


def asked(exchange: Exchange) -> Asked:
    return Asked(exchange.method, exchange.target, exchange.headers, exchange.sent)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_transcripts_are_read_whole() -> None:
    counts = [len(exchanges(name)) for name in (*ONE_NODE, "09-context-path.txt", "21-follower.txt", "31-naive.txt")]
    assert counts == [18, 33, 33, 7, 32, 4, 19, 4]


def test_the_simulated_server_answers_as_one_real_node_did() -> None:
    """In the order of the recording: every number is the very one that the real server handed out."""
    ensemble = Ensemble(1)
    ensemble.namespace("boot").fresh()
    replies = Replies(ensemble, ("http://127.0.0.1:18421",))
    compared = 0
    for exchange in (exchange for name in ONE_NODE for exchange in ours(name)):
        assert_alike(replies.reply(0, asked(exchange)), exchange)
        compared += 1
    assert compared == 114


def test_the_simulated_server_answers_under_a_context_path() -> None:
    ensemble = Ensemble(1)
    ensemble.namespace("c1").fresh()
    replies = Replies(ensemble, ("http://127.0.0.1:18621",), "/timelock/api")
    for exchange in exchanges("09-context-path.txt"):
        assert_alike(replies.reply(0, asked(exchange)), exchange)


def test_the_simulated_follower_answers_as_a_real_one() -> None:
    ensemble = Ensemble(3)
    ensemble.leader = 2
    ensemble.namespace("probe")
    replies = Replies(ensemble, ADDRESSES)
    for exchange in ours("21-follower.txt"):
        assert_alike(replies.reply(0, asked(exchange)), exchange)


def test_a_redirect_followed_as_http_means_it_ends_nowhere() -> None:
    ensemble = Ensemble(3)
    replies = Replies(ensemble, ADDRESSES)
    for exchange in exchanges("31-naive.txt"):
        ensemble.leader = ADDRESSES.index(exchange.answered.get("location", ADDRESSES[0]))
        assert_alike(replies.reply(2, asked(exchange)), exchange)


def test_names_of_every_length() -> None:
    for length, status in re.findall(r"name of (\d+) chars: (\d+)", transcript("08-name-length.txt")):
        request = Asked("POST", f"/{'x' * int(length)}/timestamp/fresh-timestamp", {})
        assert Replies(Ensemble(1), ("http://x",)).reply(0, request).status == int(status), length


def test_the_simulated_server_is_full_at_500_namespaces() -> None:
    replies = Replies(Ensemble(1), ("http://x",))
    statuses = [replies.reply(0, Asked("POST", f"/c{n}/timestamp/fresh-timestamp", {})).status for n in range(502)]
    assert statuses == [200] * 500 + [500] * 2
    full = replies.reply(0, Asked("POST", "/tl/ts1/other", {"authorization": "Bearer omitted"}))
    assert re.sub(rb"ID \w+", b"", full.body) == re.sub(
        rb"ID \w+", b"", re.findall(r"new namespace.*500 (\{.*\})", transcript("07-boot-both-and-cap.txt"))[0].encode()
    )


def _restarts() -> Iterator[tuple[str, list[tuple[str, str]], list[str]]]:
    """Each namespace of the restart's transcript: what was asked of it with the answers, and its first two after."""
    text = transcript("10-restart.txt")
    after = dict(re.findall(r"after restart: (\w+) fresh=(.*)", text))
    for name, calls in re.findall(r"^(\w+(?:TERM|KILL)) (.*)$", text, re.MULTILINE):
        asked = re.findall(r"(fresh|ff\([^)]*\))=(\S+)", calls.replace("ff only, no fresh: ", ""))
        yield name, asked, re.split(r" fresh=", after[name])


@pytest.mark.parametrize(
    ("name", "calls", "after"), list(_restarts()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_survives_a_restart_is_what_survived_it(name: str, calls: list[tuple[str, str]], after: list[str]) -> None:
    clock = Clock()
    ensemble = Ensemble(1, now=clock)
    replies = Replies(ensemble, ("http://x",))

    def ask(path: str) -> str:
        reply = replies.reply(0, Asked("POST", f"/{name}/{path}", {}))
        if reply.status in {200, 500} and "fresh" in path:
            return str(told(reply.body)) if reply.status == 200 else "500"
        return str(reply.status)

    def said(recorded: str) -> str:
        return "500" if recorded.startswith("{") else recorded

    for call, answer in calls:
        target = re.sub(r"\D*MAX", str(2**63 - 1), call.removeprefix("ff(").rstrip(")"))
        path = "timestamp/fresh-timestamp"
        if call != "fresh":
            path = f"timestamp-management/fast-forward?currentTimestamp={_sum(target)}"
        assert ask(path) == said(answer), call
    ensemble.kill(0)
    ensemble.start(0)
    clock.now += 10
    assert [ask("timestamp/fresh-timestamp") for _ in after] == [said(answer) for answer in after]


def _sum(text: str) -> int:
    first, *rest = text.split("-")
    return int(first) - sum(map(int, rest))


class Recorded(httpx.AsyncBaseTransport):
    """The first server gives the recorded answer; the others say their own number."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if len(self.requests) > 1:
            return httpx.Response(200, stream=httpx.ByteStream(str(request.url.port).encode()))
        headers = {n: v for n, v in self.exchange.answered.items() if n != "content-length"}
        return httpx.Response(self.exchange.status, headers=headers, stream=httpx.ByteStream(self.exchange.body))


def _every() -> list[Exchange]:
    return [e for name in (*ONE_NODE, "09-context-path.txt", "21-follower.txt", "31-naive.txt") for e in ours(name)]


@pytest.mark.parametrize("exchange", _every(), ids=lambda exchange: f"{exchange.status} {exchange.target[:60]}")
async def test_the_client_understands_every_recorded_answer(exchange: Exchange) -> None:
    """200 and 204 are answers, 503 and 308 lead to the next server or the one that is named, all else is final."""
    transport = Recorded(exchange)
    servers = timelock_servers(ADDRESSES, None, transport=transport)
    request = Request(exchange.method, exchange.target, (200, 204))
    until = asyncio.get_running_loop().time() + 5
    if exchange.status in {200, 204}:
        assert await servers.ask(request, until) == (ADDRESSES[0], exchange.body)
    elif exchange.status in {308, 503}:
        named = exchange.answered.get("location", ADDRESSES[1])
        next_one = ADDRESSES[1] if named == ADDRESSES[0] else named
        assert await servers.ask(request, until) == (next_one, next_one.rpartition(":")[2].encode())
        assert transport.requests[1].url == next_one + exchange.target
    else:
        with pytest.raises(TimestampServiceRefused, match=f"HTTP {exchange.status} to {exchange.method} /"):
            await servers.ask(request, until)
        assert len(transport.requests) == 1


async def test_every_recorded_timestamp_is_exact() -> None:
    fresh = [e for e in _every() if e.status == 200 and e.path.endswith("/fresh-timestamp")]
    for exchange in fresh:
        servers = timelock_servers(ADDRESSES, None, transport=Recorded(exchange))
        answer = await servers.ask(Request("POST", exchange.target), asyncio.get_running_loop().time() + 5)
        assert str(timestamp_of(answer)).encode() == exchange.body
    assert len(fresh) == 22
    for exchange in (e for e in _every() if e.status == 200 and not e.body.strip().isdigit()):
        servers = timelock_servers(ADDRESSES, None, transport=Recorded(exchange))
        answer = await servers.ask(Request(exchange.method, exchange.target), asyncio.get_running_loop().time() + 5)
        with pytest.raises(NotUnderstood):
            timestamp_of(answer)
