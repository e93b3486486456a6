"""A running service's timestamp endpoint, over real HTTP on the loopback interface."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from atlasdb_recovery.timestamps.service import (
    HIGHEST_TIMESTAMP,
    FastForwarded,
    TimestampService,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)

Reply = tuple[int, dict[str, str], bytes]


class Service(ThreadingHTTPServer):
    """A timestamp service as the embedded one serves it; `replies` come first, in turn, whatever is asked."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), Handler)
        self.base = f"http://{address}:{self.server_port}/inventory/api"
        self.last = 10_000
        self.requests: list[str] = []
        self.replies: list[Reply] = []
        self.otherwise: Reply | None = None
        self.released = threading.Event()
        self.hangs = False
        self.drips = False
        self.obeys = True

    def reply(self, method: str, path: str) -> Reply:
        self.requests.append(f"{method} {path}")
        if self.hangs:
            self.released.wait(30)
        if self.replies:
            return self.replies.pop(0)
        return self.otherwise or self.served(method, path)

    def served(self, method: str, path: str) -> Reply:
        forward = "/inventory/api/timestamp-management/fast-forward?currentTimestamp="
        if (method, path) == ("POST", "/inventory/api/timestamp/fresh-timestamp"):
            self.last += 1
            return 200, {"Content-Type": "application/json"}, str(self.last).encode()
        if method == "POST" and path.startswith(forward):
            self.last = max(self.last, int(path.removeprefix(forward))) if self.obeys else self.last
            return 204, {}, b""
        if (method, path) == ("GET", "/inventory/api/timestamp-management/ping"):
            return 200, {"Content-Type": "text/plain"}, b"pong"
        return 404, {}, b"{}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        self._answer("POST")

    def do_GET(self) -> None:
        self._answer("GET")

    def _answer(self, method: str) -> None:
        status, headers, body = self.server.reply(method, self.path)
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            while self.server.drips and not self.server.released.wait(0.02):
                self.wfile.write(b" ")
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def start() -> Iterator[Callable[[str], Service]]:
    """Starts services, each on its own loopback address; stops them at the end."""
    running: list[Service] = []

    def started(address: str = "127.0.0.1") -> Service:
        server = Service(address)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        running.append(server)
        return server

    yield started
    for server in running:
        server.released.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def server(start: Callable[[str], Service]) -> Service:
    return start("127.0.0.1")


def nowhere() -> str:
    """An address at which nothing listens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.9", 0))
        return f"http://127.0.0.9:{free.getsockname()[1]}"


async def test_it_is_a_timestamp_service_for_live_use(server: Service) -> None:
    timestamps: TimestampService = RemoteTimestamps([server.base + "/"])
    assert timestamps.serves_live
    assert server.base in timestamps.description
    assert await timestamps.bound() is None
    assert (await timestamps.fresh_timestamp(), await timestamps.fresh_timestamp()) == (10_001, 10_002)
    assert server.requests == ["POST /inventory/api/timestamp/fresh-timestamp"] * 2


async def test_ping(server: Service) -> None:
    await RemoteTimestamps([server.base]).ping()
    assert server.last == 10_000
    server.replies = [(200, {}, b"<html>pong</html>")]
    with pytest.raises(TimestampServiceRefused, match="did not answer its ping"):
        await RemoteTimestamps([server.base]).ping()


async def test_numbers_above_2_to_the_53_are_exact(server: Service) -> None:
    for number in (2**53 + 1, HIGHEST_TIMESTAMP - 1, HIGHEST_TIMESTAMP):
        server.replies = [(200, {}, b" %d\n" % number)]
        assert await RemoteTimestamps([server.base]).fresh_timestamp() == number


async def test_503_then_good(server: Service) -> None:
    server.replies = [(503, {"Content-Type": "text/html"}, b"<html>" + b"x" * 5000)] * 2
    assert await RemoteTimestamps([server.base]).fresh_timestamp() == 10_001
    assert len(server.requests) == 3


async def test_the_next_server_is_asked_and_remembered(start: Callable[[str], Service]) -> None:
    follower, leader = start("127.0.0.2"), start("127.0.0.3")
    follower.otherwise = (503, {}, b"")
    timestamps = RemoteTimestamps([nowhere(), follower.base, leader.base])
    assert await timestamps.fresh_timestamp() == 10_001
    assert await timestamps.fresh_timestamp() == 10_002
    assert (len(follower.requests), len(leader.requests)) == (1, 2)


async def test_a_leader_that_dies_is_followed_by_the_next(start: Callable[[str], Service]) -> None:
    first, second = start("127.0.0.2"), start("127.0.0.3")
    second.last = 500_000
    timestamps = RemoteTimestamps([first.base, second.base])
    assert await timestamps.fresh_timestamp() == 10_001
    first.otherwise = (503, {}, b"")
    assert await timestamps.fresh_timestamp() == 500_001


async def test_nobody_serves(server: Service) -> None:
    server.otherwise = (503, {}, b"")
    timestamps = RemoteTimestamps([server.base, nowhere()], total=0.5)
    with pytest.raises(TimestampServiceUnavailable) as caught:
        await timestamps.fresh_timestamp()
    assert "within 0.5 seconds" in str(caught.value)
    assert f"{server.base}: 503" in str(caught.value)
    assert "http://127.0.0.9:" in str(caught.value)


async def test_a_server_that_hangs_is_given_up_at_the_deadline(server: Service) -> None:
    server.hangs = True
    began = time.monotonic()
    with pytest.raises(TimestampServiceUnavailable, match=r"within 0\.4 seconds"):
        await RemoteTimestamps([server.base], total=0.4).fresh_timestamp()
    assert time.monotonic() - began < 3


async def test_a_server_that_hangs_is_followed_by_the_next(start: Callable[[str], Service]) -> None:
    hanging, good = start("127.0.0.2"), start("127.0.0.3")
    hanging.hangs = True
    timestamps = RemoteTimestamps([hanging.base, good.base], read=0.2)
    assert await timestamps.fresh_timestamp() == 10_001


async def test_a_server_that_drips_is_followed_by_the_next(start: Callable[[str], Service]) -> None:
    dripping, good = start("127.0.0.2"), start("127.0.0.3")
    dripping.drips = True
    dripping.otherwise = (200, {}, b"1" * 500)
    timestamps = RemoteTimestamps([dripping.base, good.base], connect=0.1, read=0.1, total=20)
    assert await timestamps.fresh_timestamp() > 10_000


async def test_proxies_of_the_environment_are_not_used(server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", nowhere())
    assert await RemoteTimestamps([server.base], total=1).fresh_timestamp() == 10_001


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_never_followed(start: Callable[[str], Service], status: int) -> None:
    server, other = start("127.0.0.2"), start("127.0.0.3")
    server.otherwise = (status, {"Location": other.base + "/timestamp/fresh-timestamp"}, b"")
    with pytest.raises(TimestampServiceRefused, match=f"redirects elsewhere: HTTP {status}"):
        await RemoteTimestamps([server.base, other.base]).fresh_timestamp()
    assert (len(server.requests), other.requests) == (1, [])


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 405, 429, 500, 502])
async def test_every_other_status_is_final(start: Callable[[str], Service], status: int) -> None:
    server, other = start("127.0.0.2"), start("127.0.0.3")
    server.otherwise = (status, {}, b"")
    with pytest.raises(TimestampServiceRefused, match=f"HTTP {status} to POST /timestamp/fresh-timestamp"):
        await RemoteTimestamps([server.base, other.base]).fresh_timestamp()
    assert (len(server.requests), other.requests) == (1, [])


@pytest.mark.parametrize(
    "body",
    [b"", b"0", b"-1", b"1.0", b"1e5", b'"5"', b"[5]", b"null", b"true", b"NaN", b"007", b"5 6", b"\xff\xfe", b"0x10"]
    + [b"<html>\x1b[2J</html>", str(2**63).encode(), b"9" * 400, "١٢".encode(), json.dumps({"a": 1}).encode()],
)
async def test_what_is_no_timestamp_is_refused(server: Service, body: bytes) -> None:
    server.otherwise = (200, {}, body)
    with pytest.raises(TimestampServiceRefused, match="which is no timestamp") as caught:
        await RemoteTimestamps([server.base]).fresh_timestamp()
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert len(server.requests) == 1


async def test_a_huge_body_is_not_read_to_its_end(server: Service) -> None:
    server.otherwise = (200, {}, b"1" * 50_000_000)
    with pytest.raises(TimestampServiceRefused, match="sent more than 1024 bytes"):
        await RemoteTimestamps([server.base]).fresh_timestamp()


@pytest.mark.parametrize("last", [1, 10_000])
async def test_a_clock_that_goes_back_is_noticed(server: Service, last: int) -> None:
    timestamps = RemoteTimestamps([server.base])
    await timestamps.fresh_timestamp()
    server.last = last
    with pytest.raises(TimestampServiceRefused, match=f"handed out timestamp {last + 1} after 10001"):
        await timestamps.fresh_timestamp()


async def test_fast_forward_is_read_back(server: Service) -> None:
    done = await RemoteTimestamps([server.base]).fast_forward(2**60)
    assert done == FastForwarded(target=2**60, before=10_001, reached=2**60 + 1, changed=True)
    assert server.requests[1] == f"POST /inventory/api/timestamp-management/fast-forward?currentTimestamp={2**60}"


async def test_a_fast_forward_to_the_past_asks_for_nothing(server: Service) -> None:
    done = await RemoteTimestamps([server.base]).fast_forward(500)
    assert done == FastForwarded(target=500, before=10_001, reached=10_001, changed=False)
    assert server.requests == ["POST /inventory/api/timestamp/fresh-timestamp"]


async def test_a_fast_forward_that_did_nothing_is_no_success(server: Service) -> None:
    server.obeys = False
    with pytest.raises(TimestampServiceRefused, match="accepted a fast-forward to 50000 and then handed out 10002"):
        await RemoteTimestamps([server.base]).fast_forward(50_000)


async def test_a_fast_forward_that_falls_short_by_one_is_no_success(server: Service) -> None:
    server.replies = [(200, {}, b"7"), (204, {}, b""), (200, {}, b"50000")]
    with pytest.raises(TimestampServiceRefused, match="accepted a fast-forward to 50000 and then handed out 50000"):
        await RemoteTimestamps([server.base]).fast_forward(50_000)


async def test_what_is_reached_is_above_the_target_even_if_the_first_number_equals_it(server: Service) -> None:
    assert (await RemoteTimestamps([server.base]).fast_forward(10_001)).reached == 10_002


@pytest.mark.parametrize("target", [0, -(2**63), HIGHEST_TIMESTAMP, HIGHEST_TIMESTAMP - 9_999_999])
async def test_targets_that_would_end_the_clock_are_never_sent(server: Service, target: int) -> None:
    with pytest.raises(TimestampServiceRefused, match=f"Nothing was changed: {target} "):
        await RemoteTimestamps([server.base]).fast_forward(target)
    assert server.requests == []


def test_no_server() -> None:
    with pytest.raises(TimestampServiceRefused, match="No address"):
        RemoteTimestamps([])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    where = tmp_path_factory.mktemp("tls")
    make = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2"
        " -subj /CN=service -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(make.split(), cwd=where, check=True, capture_output=True)
    return where


async def test_tls_is_verified_and_a_bad_certificate_is_final(server: Service, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    base = server.base.replace("http:", "https:")
    trusted = RemoteTimestamps([base], TlsFiles(ca=certificate / "ca.pem", verify_host=True))
    assert await trusted.fresh_timestamp() == 10_001
    with pytest.raises(TimestampServiceRefused, match="is not trusted: self-signed certificate"):
        await RemoteTimestamps([base], total=20).fresh_timestamp()
