"""A request as it arrived, and the demands that are made on it before anything is served."""

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from atlasdb_recovery.practice.simulated.timelock.pages import JSON, Reply, failed

LOWEST_LONG = -(2**63)
_TOKEN = re.compile(r"(?:Bearer ?)?[A-Za-z0-9\-._~+/]*=*")
_INFORMED = re.compile(r"\S.* atlasdb-http-client/2\.0(?: |$)")


class Asked(NamedTuple):
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_informed(self) -> bool:
        """Whether its agent is followed by AtlasDB's own: then a follower names the leader on every path."""
        return _INFORMED.match(self.headers.get("user-agent", "")) is not None

    def parameter(self, name: str) -> str | None:
        return next(iter(parse_qs(urlsplit(self.target).query).get(name, [])), None)


class Answered(Exception):
    """It cannot be served: this is the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def demand(asked: Asked, method: str, *, token: bool) -> None:
    """Raises Answered unless method, Accept and, where one is demanded, the token are as they must be."""
    if asked.method != method:
        raise Answered(failed(405))
    accepted = asked.headers.get("accept", "*/*")
    if not any(kind in accepted for kind in ("*/*", "application/*", JSON)):
        raise Answered(failed(406))
    if token:
        given = asked.headers.get("authorization")
        if given is None:
            raise Answered(failed(401, "Conjure:MissingCredentials"))
        if not _TOKEN.fullmatch(given):
            raise Answered(failed(401, "Conjure:MalformedCredentials"))


def long_of(text: str | None) -> int:
    """As Java reads a long of a query. One that is missing has a default that is refused, as it is itself."""
    if text is None or not re.fullmatch(r"[+-]?[0-9]{1,19}", text) or not LOWEST_LONG < int(text) < 2**63:
        raise Answered(failed(400))
    return int(text)


def json_of(asked: Asked, shape: Any) -> Any:
    """The body as JSON of this shape. Raises Answered."""
    if asked.headers.get("content-type", "").partition(";")[0] != JSON:
        raise Answered(failed(415))
    if not asked.body:
        raise Answered(failed(500))
    try:
        return msgspec.json.decode(asked.body, type=shape)
    except msgspec.MsgspecError:
        raise Answered(failed(400)) from None
