"""The nodes as real HTTP servers, each at a port of its own loopback address."""

import contextlib
import ssl
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from atlasdb_recovery.practice.simulated.timelock.asked import Asked
from atlasdb_recovery.practice.simulated.timelock.ensemble import Ensemble, NodeState
from atlasdb_recovery.practice.simulated.timelock.pages import Reply
from atlasdb_recovery.practice.simulated.timelock.replies import Replies

ENDS_WITHIN = 0.05
HANGS_AT_MOST = 60.0


class SimulatedTimeLock:
    """Serves from other threads while it is entered. Nodes can be killed, frozen and started again at any moment."""

    def __init__(
        self,
        addresses: Sequence[str] = ("127.0.20.1",),
        *,
        ensemble: Ensemble | None = None,
        tls: ssl.SSLContext | None = None,
        context_path: str = "",
    ) -> None:
        self.ensemble = ensemble or Ensemble(len(addresses))
        self.asked: list[tuple[int, str]] = []
        """Node, and method with path, in the order of arrival."""
        self._tls = tls
        self._changed = threading.Condition()
        self._threads: dict[int, threading.Thread] = {}
        self._servers = {node: _Server((address, 0), self, node) for node, address in enumerate(addresses)}
        self._places = {node: server.server_address[:2] for node, server in self._servers.items()}
        scheme = "https" if tls is not None else "http"
        origins = tuple(f"{scheme}://{host!s}:{port}" for host, port in self._places.values())
        self.uris = tuple(origin + context_path for origin in origins)
        self._replies = Replies(self.ensemble, origins, context_path)

    def __enter__(self) -> Self:
        for node in self._servers:
            self._serve(node)
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            for node in self._servers:
                self.ensemble.states[node] = NodeState.DOWN
            self._changed.notify_all()
        for node in list(self._servers):
            self._close(node)

    def kill(self, node: int) -> None:
        """Whatever it was answering is lost with it."""
        with self._changed:
            self.ensemble.kill(node)
            self._changed.notify_all()
        self._close(node)

    def freeze(self, node: int) -> None:
        with self._changed:
            self.ensemble.freeze(node)

    def start(self, node: int) -> None:
        """It is back at its own address, thawed or new."""
        if node not in self._servers:
            host, port = self._places[node]
            self._servers[node] = _Server((str(host), int(port)), self, node)
            self._serve(node)
        with self._changed:
            self.ensemble.start(node)
            self._changed.notify_all()

    def resign(self) -> None:
        """The leader loses leadership, and every lock with it."""
        with self._changed:
            self.ensemble.resign()

    def fresh(self, namespace: str) -> int:
        """A fresh timestamp, as the service itself would get it."""
        with self._changed:
            return self.ensemble.namespace(namespace).fresh()[0]

    def fast_forward(self, namespace: str, target: int) -> None:
        with self._changed:
            self.ensemble.namespace(namespace).fast_forward(target)

    def lock_immutable(self, namespace: str, token: str) -> None:
        with self._changed:
            self.ensemble.namespace(namespace).lock_immutable(token)

    def holds(self, namespace: str, token: str) -> bool:
        with self._changed:
            return token in self.ensemble.namespace(namespace).refresh([token])

    def unlock(self, namespace: str, token: str) -> None:
        with self._changed:
            self.ensemble.namespace(namespace).unlock([token])

    def lose_locks(self, namespace: str) -> None:
        """As if none of them had been refreshed in time."""
        with self._changed:
            self.ensemble.namespace(namespace).lose_locks()

    def reply(self, node: int, asked: Asked) -> Reply | None:
        """What it answers, as soon as it answers; None if it dies before."""
        with self._changed:
            self.asked.append((node, f"{asked.method} {asked.target}"))
            while True:
                state = self.ensemble.states[node]
                if state is NodeState.DOWN:
                    return None
                hangs = HANGS_AT_MOST if state is NodeState.FROZEN else self.ensemble.hesitates(node)
                if not hangs:
                    return self._replies.reply(node, asked)
                self._changed.wait(hangs)

    def _serve(self, node: int) -> None:
        server = self._servers[node]
        if self._tls is not None:
            server.socket = self._tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._threads[node] = threading.Thread(target=server.serve_forever, args=(ENDS_WITHIN,), daemon=True)
        self._threads[node].start()

    def _close(self, node: int) -> None:
        if server := self._servers.pop(node, None):
            server.shutdown()
            server.server_close()
            self._threads.pop(node).join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], timelock: SimulatedTimeLock, node: int) -> None:
        super().__init__(place, _Requests)
        self.timelock = timelock
        self.node = node

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or does not trust us, is no news."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:  # noqa: N802 — the standard library's name
        self._serve()

    def do_GET(self) -> None:  # noqa: N802
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.timelock.reply(self.server.node, Asked(self.command, self.path, headers, body))
        self.close_connection = True
        if reply is None:
            return
        with contextlib.suppress(OSError):
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""
