"""The practice service's own timestamp endpoint over HTTP, as an AtlasDB service offers it (`TimestampService`)."""

import asyncio
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from atlasdb_recovery.practice.practice_timestamps import PracticeTimestamps

ANSWERS_WITHIN = 10.0
ENDS_WITHIN = 0.05


class TimestampEndpoint:
    """Serves fresh timestamps and the ping on 127.0.0.1 from another thread; use it as a context manager."""

    def __init__(self, timestamps: PracticeTimestamps) -> None:
        loop = asyncio.get_running_loop()

        class Requests(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 — the standard library's name
                if self.path != "/timestamp/fresh-timestamp":
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                answer = asyncio.run_coroutine_threadsafe(timestamps.fresh_timestamp(), loop)
                try:
                    body = str(answer.result(ANSWERS_WITHIN)).encode()
                except Exception:  # the service is being shut down
                    self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
                    return
                self._answer(body, "application/json")

            def do_GET(self) -> None:  # noqa: N802
                if self.path == "/timestamp-management/ping":
                    self._answer(b"pong", "text/plain")
                else:
                    self.send_error(HTTPStatus.NOT_FOUND)

            def _answer(self, body: bytes, kind: str) -> None:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Requests are not worth a line."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(ENDS_WITHIN,), daemon=True)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
