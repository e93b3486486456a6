"""What a node answers over HTTP: statuses, headers and bodies as the real server's."""

import re

from atlasdb_recovery.practice.simulated.timelock.asked import Answered, Asked, demand, long_of
from atlasdb_recovery.practice.simulated.timelock.disabling import PATHS, answered
from atlasdb_recovery.practice.simulated.timelock.ensemble import Ensemble, TooManyNamespaces
from atlasdb_recovery.practice.simulated.timelock.namespaces import Exhausted
from atlasdb_recovery.practice.simulated.timelock.pages import Reply, failed, html_page, json_reply, not_logged
from atlasdb_recovery.practice.simulated.timelock.served import CONJURE, LEGACY, Reading, Serve, forwarded

LONGEST_NAME = 255
_NAMED = re.compile(r"[a-zA-Z0-9_-]+")
_LEGACY = re.compile(r"/(?!(?:tl|lw|leader)/)([a-zA-Z0-9_-]+)/(timestamp|timelock|timestamp-management)/([a-z-]+)/?")
_CONJURE = re.compile(r"/tl/(ts1|ts|t2)/([^/]+)")


class Replies:
    """Of the nodes of one ensemble, at these base addresses."""

    def __init__(self, ensemble: Ensemble, addresses: tuple[str, ...], context_path: str = "") -> None:
        self._ensemble = ensemble
        self._addresses = addresses
        self._context_path = context_path

    def reply(self, node: int, asked: Asked) -> Reply:
        """What this node, which is up, answers now."""
        if not asked.path.startswith(self._context_path + "/"):
            return html_page(404, asked.path, "-")
        asked = asked._replace(target=asked.target.removeprefix(self._context_path))
        try:
            return (
                self._own(node, asked)
                or self._disabling(node, asked)
                or self._conjure(node, asked)
                or self._legacy(node, asked)
                or failed(404)
            )
        except Answered as answered:
            return answered.reply

    def _own(self, node: int, asked: Asked) -> Reply | None:
        """What a node answers for itself, follower or not."""
        leads = self._ensemble.leads(node)
        if asked.path == "/tl/management/getNamespaces":
            demand(asked, "POST", token=True)
            return json_reply(sorted(self._ensemble.listed[node]))
        if asked.path == "/leader/ping":
            return json_reply(leads)
        if asked.path == "/leader/pingV2":
            return json_reply({"timeLockVersion": "0.0.0", "isLeader": leads})
        return None

    def _disabling(self, node: int, asked: Asked) -> Reply | None:
        if self._ensemble.backup_token is None or asked.path not in PATHS:
            return None
        demand(asked, "POST", token=True)
        return answered(self._ensemble, asked) if self._ensemble.leads(node) else self._follows(node, asked)

    def _conjure(self, node: int, asked: Asked) -> Reply | None:
        if asked.path == "/tl/management/fastForward":
            demand(asked, "POST", token=True)
            return self._led(node, asked, asked.parameter("namespace") or "", _fast_forward, is_named=True)
        if (found := _CONJURE.fullmatch(asked.path)) is None:
            return None
        demand(asked, "POST", token=True)
        return self._led(node, asked, found[2], CONJURE[found[1]], is_named=True)

    def _legacy(self, node: int, asked: Asked) -> Reply | None:
        if (found := _LEGACY.fullmatch(asked.path)) is None or (found[2], found[3]) not in LEGACY:
            return None
        method, reading = LEGACY[found[2], found[3]]
        demand(asked, method, token=False)
        return self._led(node, asked, found[1], reading, is_named=asked.is_informed)

    def _led(self, node: int, asked: Asked, namespace: str, reading: Reading, *, is_named: bool) -> Reply:
        """Only the leader serves it; a follower names one in a 308 without a path, or is a page that says 503."""
        if not _NAMED.fullmatch(namespace) or namespace in {"tl", "lw", "leader"}:
            return failed(400)
        too_long = len(namespace) > LONGEST_NAME
        if too_long or not self._ensemble.leads(node):
            return self._follows(node, asked, is_named=is_named and not too_long)
        if namespace in self._ensemble.disabled:
            return html_page(503, asked.path, "jersey")
        try:
            return reading(asked)(self._ensemble.namespace(namespace))
        except Exhausted:
            return failed(500)
        except TooManyNamespaces:
            return not_logged()

    def _follows(self, node: int, asked: Asked, *, is_named: bool = True) -> Reply:
        hint = self._ensemble.hint(node) if is_named else None
        if hint is None:
            return html_page(503, asked.path, "jersey")
        return Reply(308, {"Location": self._addresses[hint]})


def _fast_forward(asked: Asked) -> Serve:
    """One that is missing is a 0: answered, and nothing is done."""
    return forwarded(long_of(asked.parameter("currentTimestamp") or "0"))
