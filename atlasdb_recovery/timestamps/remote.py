"""A running service's own timestamp endpoint over HTTP (`TimestampService`, `TimestampManagementService`)."""

import asyncio
import logging
import re
import ssl
from collections.abc import Sequence

import httpx
import stamina

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.timestamps.service import (
    HIGHEST_TIMESTAMP,
    FastForwarded,
    TimestampServiceRefused,
    TimestampServiceUnavailable,
)
from atlasdb_recovery.timestamps.targets import require_reachable

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
TOTAL_SECONDS = 30.0
LONGEST_BODY = 1024
"""Bytes. A timestamp has 19 digits at most."""

_NUMBER = re.compile(rb"[1-9][0-9]{0,18}")

logging.getLogger("stamina").addHandler(logging.NullHandler())


class _TryNext(Exception):
    """This server did not serve; another one, or this one later, may."""


class RemoteTimestamps:
    """`TimestampService` of a running service, at base addresses such as `https://app-1:3828/orders/api`.

    A server that does not answer, or answers 503 (not the leader), is followed by the next, with back-off, until
    `total` seconds are over; the last one that answered is asked first. Everything else is final. Redirects are never
    followed. Asking twice is harmless: a lost answer only skips a timestamp, and a fast-forward is idempotent.
    """

    serves_live = True

    def __init__(
        self,
        servers: Sequence[str],
        tls: TlsFiles | None = None,
        *,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        total: float = TOTAL_SECONDS,
    ) -> None:
        if not servers:
            raise TimestampServiceRefused("No address of a timestamp service is known. Name its `servers`.")
        self._servers = tuple(server.rstrip("/") for server in servers)
        self._tls: ssl.SSLContext = tls.context() if tls is not None else ssl.create_default_context()
        self._timeout = httpx.Timeout(read, connect=connect)
        self._attempt_seconds = connect + read
        self._total = total
        self._next = 0
        self._highest = 0
        self._one_at_a_time = asyncio.Lock()

    @property
    def description(self) -> str:
        return f"the running service's timestamp endpoint at {', '.join(self._servers)}"

    async def bound(self) -> None:
        """Always None: a running service does not show its bound."""

    async def fresh_timestamp(self) -> int:
        """One that is above every one seen before. Raises TimestampServiceRefused, TimestampServiceUnavailable."""
        async with self._one_at_a_time:
            return await self._fresh()

    async def ping(self) -> None:
        """Raises unless a server says that it can manage timestamps. Hands nothing out."""
        server, body = await self._ask("GET", "/timestamp-management/ping", (200,))
        if body.strip() != b"pong":
            raise _no_timestamp_service(server, "did not answer its ping with “pong”")

    def writes_to_fast_forward(self, target: int, bound: int | None) -> tuple[str, ...]:
        """Its bound cannot be seen: the request is told as it is sent unless a fresh timestamp is above already."""
        return (f"POST {_fast_forward_path(target)}",)

    async def fast_forward(self, target: int) -> FastForwarded:
        """Ask for it unless a fresh timestamp is above already; then fetch one and see that it is above."""
        require_reachable(target)
        before = await self.fresh_timestamp()
        if before > target:
            return FastForwarded(target=target, before=before, reached=before, changed=False)
        await self._ask("POST", _fast_forward_path(target), (200, 204))
        reached = await self.fresh_timestamp()
        if reached <= target:
            raise TimestampServiceRefused(
                f"The service accepted a fast-forward to {target} and then handed out {reached}: timestamps already"
                " used would be handed out again. Stop it, and find out what its addresses lead to."
            )
        return FastForwarded(target=target, before=before, reached=reached, changed=True)

    async def _fresh(self) -> int:
        server, body = await self._ask("POST", "/timestamp/fresh-timestamp", (200,))
        fresh = _timestamp(server, body)
        if fresh <= self._highest:
            raise TimestampServiceRefused(
                f"{server} handed out timestamp {fresh} after {self._highest}: its timestamps go backwards, or its"
                " servers belong to different services. Do not use either number. Check the addresses in the"
                " configuration."
            )
        self._highest = fresh
        return fresh

    async def _ask(self, method: str, path: str, good: tuple[int, ...]) -> tuple[str, bytes]:
        """The server that answered and its body."""
        problems: dict[str, str] = {}
        try:
            async with asyncio.timeout(self._total), self._client() as client:
                async for attempt in stamina.retry_context(
                    _TryNext, attempts=None, timeout=self._total, wait_initial=0.05, wait_max=1.0, wait_jitter=0.05
                ):
                    with attempt:
                        return await self._ask_one(client, method, path, good, problems)
        except (_TryNext, TimeoutError):
            pass
        tried = "; ".join(f"{server}: {problem}" for server, problem in problems.items()) or "no answer at all"
        raise TimestampServiceUnavailable(
            f"No timestamp service answered {method} {path} within {self._total:g} seconds ({tried})."
            " See that the service is running and that its addresses can be reached from here, then try again."
        )

    async def _ask_one(
        self, client: httpx.AsyncClient, method: str, path: str, good: tuple[int, ...], problems: dict[str, str]
    ) -> tuple[str, bytes]:
        server = self._servers[self._next]
        try:
            async with asyncio.timeout(self._attempt_seconds), client.stream(method, server + path) as response:
                status, body = response.status_code, await _short_body(server, response)
        except (httpx.TransportError, TimeoutError) as error:
            _refuse_bad_certificate(server, error)
            self._pass_over(server, plain(str(error)) or type(error).__name__, problems)
        if status == 503:
            self._pass_over(server, "503 (not the leader, or not ready)", problems)
        if status not in good:
            kind = "redirects elsewhere" if 300 <= status < 400 else "refused"
            raise _no_timestamp_service(server, f"{kind}: HTTP {status} to {method} {path}")
        return server, body

    def _pass_over(self, server: str, problem: str, problems: dict[str, str]) -> None:
        problems[server] = problem
        self._next = (self._next + 1) % len(self._servers)
        raise _TryNext(problem)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._tls,
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"Accept": "application/json, text/plain", "Accept-Encoding": "identity"},
        )


def _fast_forward_path(target: int) -> str:
    return f"/timestamp-management/fast-forward?currentTimestamp={target}"


async def _short_body(server: str, response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LONGEST_BODY and response.is_success:
            raise _no_timestamp_service(server, f"sent more than {LONGEST_BODY} bytes where a number belongs")
        if len(body) > LONGEST_BODY:
            break
    return body


def _timestamp(server: str, body: bytes) -> int:
    number = body.strip()
    if not _NUMBER.fullmatch(number) or int(number) > HIGHEST_TIMESTAMP:
        shown = plain(number.decode("utf-8", "replace"), 80)
        raise _no_timestamp_service(server, f"sent “{shown}”, which is no timestamp")
    return int(number)


def _refuse_bad_certificate(server: str, error: BaseException) -> None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise TimestampServiceRefused(
                f"The certificate of {server} is not trusted: {plain(cause.verify_message)}. Nothing was asked of it."
                " Check the address, and the trust store that the service's configuration names."
            ) from None
        cause = cause.__cause__ or cause.__context__


def _no_timestamp_service(server: str, what: str) -> TimestampServiceRefused:
    return TimestampServiceRefused(
        f"{server} {what}. Whatever answers there is no timestamp service that can be used."
        " Check this address in the configuration: it is the part before `/timestamp/fresh-timestamp`."
    )
