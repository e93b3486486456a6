"""What the leader does for each path: the request is read first, then the namespace is asked."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from atlasdb_recovery.practice.simulated.timelock.asked import Asked, json_of, long_of
from atlasdb_recovery.practice.simulated.timelock.namespaces import LedNamespace
from atlasdb_recovery.practice.simulated.timelock.pages import Reply, failed, json_reply

Serve = Callable[[LedNamespace], Reply]
Reading = Callable[[Asked], Serve]


def forwarded(target: int) -> Serve:
    def serve(led: LedNamespace) -> Reply:
        led.fast_forward(target)
        return Reply(204)

    return serve


def _ping(_: Asked) -> Serve:
    return lambda _: Reply(200, {"Content-Type": "text/plain"}, b"pong")


def _fresh(_: Asked) -> Serve:
    return lambda led: json_reply(led.fresh()[0])


def _several(asked: Asked) -> Serve:
    def serve(led: LedNamespace) -> Reply:
        count = long_of(asked.parameter("number"))
        if count < 1:
            return failed(400)
        lower, upper = led.fresh(count)
        return json_reply({"lowerBound": lower, "upperBound": upper})

    return serve


def _batch(asked: Asked) -> Serve:
    count = json_of(asked, dict[str, Any]).get("numTimestamps", 0)

    def serve(led: LedNamespace) -> Reply:
        lower, upper = led.fresh(count)
        return json_reply({"inclusiveLower": lower, "inclusiveUpper": upper})

    return serve if count > 0 else lambda _: failed(400)


def _counted(asked: Asked) -> Serve:
    def serve(led: LedNamespace) -> Reply:
        lower, upper = led.fresh(json_of(asked, int))
        return json_reply({"start": lower, "count": upper - lower + 1})

    return serve


def _lock(asked: Asked) -> Serve:
    def serve(led: LedNamespace) -> Reply:
        token = str(uuid4())
        immutable = led.lock_immutable(token)
        return json_reply({"immutableTimestamp": immutable, "lock": {"requestId": token}})

    json_of(asked, dict[str, str])
    return serve


def _tokens(change: Callable[[LedNamespace, list[str]], list[str]]) -> Reading:
    def about(asked: Asked) -> Serve:
        tokens = [token["requestId"] for token in json_of(asked, list[dict[str, str]])]
        return lambda led: json_reply([{"requestId": token} for token in change(led, tokens)])

    return about


CONJURE: dict[str, Reading] = {"ts1": _fresh, "ts": _batch, "t2": _counted}
LEGACY: dict[tuple[str, str], tuple[str, Reading]] = {
    ("timestamp", "fresh-timestamp"): ("POST", _fresh),
    ("timestamp", "fresh-timestamps"): ("POST", _several),
    ("timelock", "fresh-timestamp"): ("POST", _fresh),
    ("timelock", "fresh-timestamps"): ("POST", _several),
    ("timelock", "immutable-timestamp"): ("POST", lambda _: lambda led: json_reply(led.immutable())),
    ("timelock", "lock-immutable-timestamp"): ("POST", _lock),
    ("timelock", "refresh-locks"): ("POST", _tokens(LedNamespace.refresh)),
    ("timelock", "unlock"): ("POST", _tokens(LedNamespace.unlock)),
    ("timestamp-management", "fast-forward"): (
        "POST",
        lambda asked: forwarded(long_of(asked.parameter("currentTimestamp"))),
    ),
    ("timestamp-management", "ping"): ("GET", _ping),
}
