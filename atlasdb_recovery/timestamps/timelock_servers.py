"""TimeLock's servers: who leads them, and which namespaces they have; neither question creates a namespace."""

import asyncio
from collections.abc import Mapping, Sequence

import httpx
import msgspec

from atlasdb_recovery import __version__
from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.timestamps.answers import NotUnderstood, read_as
from atlasdb_recovery.timestamps.servers import CONNECT_SECONDS, READ_SECONDS, Answer, Request, Servers
from atlasdb_recovery.timestamps.service import Seen, TimestampServiceRefused, TimestampServiceUnavailable, unseen

AGENT = f"atlasdb-recovery/{__version__} atlasdb-http-client/2.0"
"""With the second part a follower names the leader (308), without it says 503 alone."""
HEADERS = {"User-Agent": AGENT, "Authorization": "Bearer omitted"}
"""Some paths demand a token and do not look at it; AtlasDB's client sends the same."""

LIST = Request("POST", "/tl/management/getNamespaces", longest=1_000_000)
LEADS = Request("GET", "/leader/pingV2")
AGAIN_EVERY = 0.5
ATTEMPTS = 3


class _Leads(msgspec.Struct):
    is_leader: bool = msgspec.field(name="isLeader")


def timelock_servers(
    addresses: Sequence[str],
    tls: TlsFiles | None,
    *,
    connect: float = CONNECT_SECONDS,
    read: float = READ_SECONDS,
    transport: httpx.AsyncBaseTransport | None = None,
    seen: Seen = unseen,
) -> Servers:
    """Of these base addresses, the context path included. Raises TimestampServiceRefused without any."""
    if not addresses:
        raise TimestampServiceRefused(
            "Nothing was asked: TimeLock is configured, but no file names its servers. They may stand in the service's"
            " runtime configuration (`timelockRuntime`): name it as `runtime_config`."
        )
    return Servers(
        addresses,
        tls,
        not_usable,
        names_leader=True,
        headers=HEADERS,
        connect=connect,
        read=read,
        transport=transport,
        seen=seen,
    )


def not_usable(server: str, what: str) -> TimestampServiceRefused:
    return TimestampServiceRefused(
        f"{server} {what}. TimeLock answers so where an address is wrong (it is the part before the namespace, the"
        " context path included), where it can take no more namespaces, and where a namespace's timestamps are"
        " exhausted. Check `servers` in the timelock block of the service's configuration, then TimeLock's own log."
    )


async def who_leads(servers: Servers) -> str:
    """Every server with what it says of itself, in words. Raises TimestampServiceUnavailable if none answers.

    Seconds without any answer may be our own: a machine that is busy with checksums and nodetools lets them pass.
    """
    for _ in range(ATTEMPTS):
        found = await servers.ask_each(LEADS)
        if any(isinstance(answer, Answer) or "Timeout" not in answer for answer in found.values()):
            break
        await asyncio.sleep(AGAIN_EVERY)
    if not any(isinstance(answer, Answer) for answer in found.values()):
        said = "; ".join(f"{server}: {problem}" for server, problem in found.items())
        raise TimestampServiceUnavailable(
            f"No TimeLock server answers ({said}). See that they run and can be reached from here, then try again."
        )
    roles = {server: _role(answer) for server, answer in found.items()}
    for server, role in roles.items():
        if role in {"leads", "follows"}:
            servers.seen(server, role, "")
    return ", ".join(f"{server} {role}" for server, role in roles.items())


async def is_listed(servers: Servers, namespace: str, until: float, *, is_meant: bool) -> bool:
    """Whether TimeLock has this namespace: any server's list has it. Most servers' lists are needed to say no.

    A release that gives no list (before 0.398) is believed to have what `is_meant`. Raises TimestampServiceRefused,
    TimestampServiceUnavailable.
    """
    found: dict[str, Answer | str] = {}
    try:
        async with asyncio.timeout_at(until):
            while True:
                found = await servers.ask_each(LIST)
                lists = [_names(answer) for answer in found.values() if isinstance(answer, Answer)]
                if any(namespace in names for names in lists):
                    return True
                if len(lists) > len(servers.addresses) // 2:
                    return False
                if "HTTP 404" in found.values():
                    return _unlisted(namespace, is_meant=is_meant)
                _refuse_what_is_final(found)
                await asyncio.sleep(AGAIN_EVERY)
    except TimeoutError:
        said = "; ".join(f"{s}: {answer}" for s, answer in found.items() if isinstance(answer, str)) or "no answer"
        raise TimestampServiceUnavailable(
            f"Too few of TimeLock's servers answered to tell whether namespace “{namespace}” exists ({said})."
            " Nothing was asked of it. See that they run and can be reached from here, then try again."
        ) from None


def _refuse_what_is_final(found: Mapping[str, Answer | str]) -> None:
    for server, problem in found.items():
        if isinstance(problem, str) and problem.startswith("HTTP") and problem != "HTTP 503":
            raise not_usable(server, f"refused: {problem} to {LIST}")


def _unlisted(namespace: str, *, is_meant: bool) -> bool:
    if is_meant:
        return True
    raise TimestampServiceRefused(
        "Nothing was changed: there is no TimeLock at this address, or it is a release that does not list its"
        " namespaces, and asking one that does not exist creates it. Check TimeLock's addresses; then, if"
        f" “{namespace}” is the service's namespace, say so in recovery.yml: `timestamps: {{namespace: {namespace}}}`."
    )


def _names(answer: Answer) -> list[str]:
    try:
        return read_as(answer, list[str], "list of namespaces")
    except NotUnderstood as error:
        raise not_usable(answer.server, str(error)) from None


def _role(answer: Answer | str) -> str:
    if isinstance(answer, str):
        return f"does not answer ({plain(answer, 200)})"
    try:
        return "leads" if read_as(answer, _Leads, "word on who leads").is_leader else "follows"
    except NotUnderstood as error:
        raise not_usable(answer.server, str(error)) from None
