"""Several servers of one service over HTTP: which one is asked, when the next one is, and what is final."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, NoReturn

import httpx
import stamina

from atlasdb_recovery.atlas.tls_files import TlsFiles, trusting
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.timestamps.service import Seen, TimestampServiceRefused, TimestampServiceUnavailable, unseen

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
TOTAL_SECONDS = 30.0
LONGEST_BODY = 1024
"""Bytes. A timestamp has 19 digits at most."""

logging.getLogger("stamina").addHandler(logging.NullHandler())


class Request(NamedTuple):
    """What is asked. `path` begins after a server's base address; `good` are the statuses of an answer."""

    method: str
    path: str
    good: tuple[int, ...] = (200,)
    body: bytes | None = None
    longest: int = LONGEST_BODY

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Answer(NamedTuple):
    """A good one, and the server that gave it."""

    server: str
    body: bytes


class _TryNext(Exception):
    """This server did not serve; another one, or this one later, may."""


class Servers:
    """Base addresses such as `https://app-1:3828/orders/api`, asked one after the other until a deadline.

    A server that does not answer, or answers 503 (not the leader), is followed by the next, with back-off; the last
    one that answered is asked first. Everything else is final. Redirects are never followed as HTTP means them: with
    `names_leader` a 308 whose Location names one of these servers makes that one the next, whatever its path.
    `refusal` makes the error of (server, what it did). Whatever is asked must be harmless to ask twice.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        tls: TlsFiles | None,
        refusal: Callable[[str, str], TimestampServiceRefused],
        *,
        names_leader: bool = False,
        headers: Mapping[str, str] | None = None,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        seen: Seen = unseen,
    ) -> None:
        self.seen = seen
        self.addresses = tuple(address.rstrip("/") for address in addresses)
        self._tls = tls
        self._trusted: ssl.SSLContext | None = self._context()
        self._refusal = refusal
        self._origins = {_origin(address): at for at, address in reversed([*enumerate(self.addresses)])}
        if None in self._origins:
            raise refusal(plain(self.addresses[self._origins[None]]), "is no address")
        self._names_leader = names_leader
        self._headers = {"Accept": "application/json, text/plain", "Accept-Encoding": "identity", **(headers or {})}
        self._timeout = httpx.Timeout(read, connect=connect)
        self._attempt_seconds = connect + read
        self._transport = transport
        self._next = 0

    async def ask(self, request: Request, until: float) -> Answer:
        """The first good answer before `until` (in the event loop's time).

        Raises TimestampServiceRefused for what is final, TimestampServiceUnavailable at the deadline: then it is not
        known whether the request was served.
        """
        problems: dict[str, str] = {}
        seconds = until - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(until), self._client() as client:
                async for attempt in stamina.retry_context(
                    _TryNext, attempts=None, timeout=None, wait_initial=0.05, wait_max=1.0, wait_jitter=0.05
                ):
                    with attempt:
                        return await self._ask_next(client, request, problems)
        except (_TryNext, TimeoutError):
            pass
        tried = "; ".join(f"{server}: {problem}" for server, problem in problems.items()) or "no answer at all"
        raise TimestampServiceUnavailable(
            f"No timestamp service answered {request} within {seconds:.3g} seconds ({tried})."
            " See that the service is running and that its addresses can be reached from here, then try again."
        )

    async def ask_each(self, request: Request) -> dict[str, Answer | str]:
        """Every server asked once, side by side: its good answer, or in words why there is none."""

        async def one(client: httpx.AsyncClient, server: str) -> Answer | str:
            try:
                status, body, _ = await self._sent(client, server, request)
            except (httpx.TransportError, TimeoutError) as error:
                return _words(error)
            return Answer(server, body) if status in request.good else f"HTTP {status}"

        async with self._client() as client:
            found = await asyncio.gather(*(one(client, server) for server in self.addresses), return_exceptions=True)
        answers: dict[str, Answer | str] = {}
        for server, answer in zip(self.addresses, found, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            if isinstance(answer, str):
                self.seen(server, "follows" if answer == "HTTP 503" else "silent", answer)
            answers[server] = answer
        return answers

    async def _ask_next(self, client: httpx.AsyncClient, request: Request, problems: dict[str, str]) -> Answer:
        server = self.addresses[self._next]
        try:
            status, body, location = await self._sent(client, server, request)
        except (httpx.TransportError, TimeoutError) as error:
            self.seen(server, "silent", _words(error))
            self._pass_over(server, _words(error), problems)
        if status == 503:
            self.seen(server, "follows", "503")
            self._pass_over(server, "503 (not the leader, or not ready)", problems)
        if status == 308 and self._names_leader:
            named = plain(location, 200) or "nowhere"
            self.seen(server, "follows", f"names {named}")
            self._pass_over(server, f"308 to {named}", problems, _origin(location))
        if status not in request.good:
            kind = "redirects elsewhere" if 300 <= status < 400 else "refused"
            self.seen(server, "refused", f"HTTP {status}")
            raise self._refusal(server, f"{kind}: HTTP {status} to {request}")
        self.seen(server, "leads", "")
        return Answer(server, body)

    async def _sent(self, client: httpx.AsyncClient, server: str, request: Request) -> tuple[int, bytes, str]:
        """Status, body and Location. Raises TimestampServiceRefused for a certificate that is not trusted."""
        headers = {"Content-Type": "application/json"} if request.body is not None else {}
        try:
            async with (
                asyncio.timeout(self._attempt_seconds),
                client.stream(request.method, server + request.path, content=request.body, headers=headers) as response,
            ):
                body = await self._short_body(server, request, response)
                return response.status_code, body, response.headers.get("Location", "")
        except httpx.TransportError as error:
            self._refuse_bad_certificate(server, error)
            raise

    async def _short_body(self, server: str, request: Request, response: httpx.Response) -> bytes:
        body = b""
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > request.longest and response.is_success:
                raise self._refusal(server, f"sent more than {request.longest} bytes where a short answer belongs")
            if len(body) > request.longest:
                break
        return body

    def _pass_over(
        self, server: str, problem: str, problems: dict[str, str], named: tuple[str, str, int] | None = None
    ) -> NoReturn:
        problems[server] = problem
        at = self.addresses.index(server)
        leader = self._origins.get(named) if named is not None else None
        self._next = (at + 1) % len(self.addresses) if leader is None or leader == at else leader
        raise _TryNext(problem)

    def _refuse_bad_certificate(self, server: str, error: BaseException) -> None:
        try:
            _refuse_bad_certificate(server, error)
        except TimestampServiceRefused:
            self.seen(server, "refused", "a certificate is not accepted")
            self._trusted = None  # whoever mends the stores and tries again has them read anew
            raise

    def _context(self) -> ssl.SSLContext:
        """Trusts the machine's own authorities unless others are named; nobody where there is no https to need them."""
        if self._tls is not None:
            return self._tls.context()
        if any(address.startswith("https:") for address in self.addresses):
            return trusting()
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the machine's own takes long

    def _client(self) -> httpx.AsyncClient:
        if self._trusted is None:
            try:
                self._trusted = self._context()
            except ConfigurationError as error:
                raise TimestampServiceRefused(str(error)) from error
        return httpx.AsyncClient(
            verify=self._trusted,
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
            headers=self._headers,
            transport=self._transport,
        )


def _words(error: BaseException) -> str:
    return plain(str(error), 300) or type(error).__name__


def _origin(address: str) -> tuple[str, str, int] | None:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return None
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def _refuse_bad_certificate(server: str, error: BaseException) -> None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise TimestampServiceRefused(
                f"The certificate of {server} is not trusted: {plain(cause.verify_message)}. Nothing was asked of it."
                " Check the address, and the trust store that the service's configuration names: the next try reads it"
                " again."
            ) from None
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or "") and "CERT" in (cause.reason or ""):
            raise TimestampServiceRefused(
                f"{server} does not accept our certificate: {plain(cause.reason, 80)}. Nothing was asked of it."
                " Check the key store that the service's configuration names."
            ) from None
        cause = cause.__cause__ or cause.__context__
