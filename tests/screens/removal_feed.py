"""A restore at its removal, as events a test scripts: for screens that are looked at without an engine."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from textual.app import App
from textual.pilot import Pilot

from atlasdb_recovery.cli.wizard import LEAVING
from atlasdb_recovery.events import (
    Event,
    FactEstablished,
    GuardChecked,
    PlanMade,
    SessionStarted,
    StepIntended,
    StepPerformed,
    StepVerified,
)
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Question
from tui.app import RecoveryApp
from tui.bridge import Bridge
from tui.look import Look
from tui.workplace import Explanation, Leaving, Opening, Workplace

SESSION = "20261123T031502Z-restore-orders-3f2a"
CLEAN = "clean-transactions"
B, F = 1_000_042, 2_500_001
EXPORT = "/var/lib/atlasdb-recovery/exports/pre-images-20261123T031502Z-restore-orders-3f2a-1.jsonl"
UNICODE = Look.chosen(environment={"LANG": "C.UTF-8", "TERM": "xterm"})
ASCII = Look.chosen(ascii_only=True, environment={})
COLORLESS = Look.chosen(no_color=True, environment={"LANG": "C.UTF-8", "TERM": "xterm"})
NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


class Feed:
    """Shows events to a bridge, and keeps the state they fold to."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.state = SessionState()

    def __call__(self, *events: Event) -> None:
        for event in events:
            self.state.apply(event)
            self.bridge.show(event, self.state)


Script = Callable[[Feed], Awaitable[int]]


class ScriptedPlace:
    """A workplace whose sessions are what a test scripts. `kept` are the pictures kept as evidence."""

    read_only = False

    def __init__(self, script: Script, *, mode: str = "LIVE", report: Path | None = None) -> None:
        self._script = script
        self._mode = mode
        self._report = report
        self.kept: dict[str, str] = {}
        self.fails_to_keep = False

    def leaving(self) -> Leaving:
        return LEAVING

    def opening(self, procedure: str) -> Opening:
        return Opening(procedure, self._mode, "orders", restore_steps())

    async def begin(self, procedure: str, bridge: Bridge, *, take_over: bool = False) -> int:
        return await self._script(Feed(bridge))

    def sessions(self) -> list[Any]:
        return []

    def explained(self, error: BaseException) -> Explanation:
        return Explanation(1, (f"{type(error).__name__}: {error}",))

    def held_by(self, error: BaseException) -> str | None:
        return None

    def keep_picture(self, session: str, name: str, svg: str) -> Path:
        if self.fails_to_keep:
            raise OSError(28, "No space left on device")
        self.kept[name] = svg
        return Path(f"/state/sessions/{session}/{name}.svg")

    def report(self, session: str) -> Path | None:
        return self._report


def wizard(script: Script, look: Look = UNICODE, *, mode: str = "LIVE", report: Path | None = None) -> RecoveryApp:
    """The application at a restore that the script plays."""
    app = RecoveryApp(cast("Workplace", ScriptedPlace(script, mode=mode, report=report)), look, first="restore")
    app.animation_level = "none"
    return app


def place_of(app: RecoveryApp) -> ScriptedPlace:
    return cast("ScriptedPlace", app.workplace)


def started(mode: str = "LIVE", cluster: str = "prod-eu-1") -> SessionStarted:
    return SessionStarted(
        session=SESSION,
        procedure="restore",
        keyspace="orders",
        mode=mode,
        version="0.1.0",
        operator="ann",
        host="bastion-2",
        process=4711,
        settings={},
        cluster=cluster,
    )


def settled(step: str, *evidence: str) -> Sequence[Event]:
    return (
        StepIntended(step=step, fingerprint="f", attempt=1),
        StepPerformed(step=step, seconds=1.0),
        StepVerified(step=step, evidence=evidence),
    )


def before_removal(mode: str = "LIVE", cluster: str = "prod-eu-1") -> list[Event]:
    """Everything up to the removal's guards."""
    identity = {"cluster_name": cluster, "partitioner": "Murmur3", "nodes": {f"h{n}": n for n in NODES}}
    return [
        started(mode, cluster),
        FactEstablished(step="preflight", name=facts.IDENTITY, value=identity),
        FactEstablished(step="preflight", name=facts.BACKUP_TIMESTAMP, value=B),
        FactEstablished(step="preflight", name=facts.FAST_FORWARD_TIMESTAMP, value=F),
        *settled("preflight", f"cluster {cluster}, 3 nodes, pinned for this session", f"B = {B}; F = {F}"),
        *settled("restore-store", "14 of 14 tables are there"),
        *settled("repair", "_transactions, _transactions2 repaired on 3 of 3 nodes, 24 token ranges"),
    ]


def guards(step: str = CLEAN, **changed: tuple[str, str]) -> list[Event]:
    """Those before the removal, all holding but for what is changed: status and evidence by guard."""
    names = {
        "ClusterIdentityUnchanged": "prod-eu-1, 3 nodes",
        "EveryNodeUp": "3 of 3 nodes are UN",
        "OneSchemaVersion": "one schema version on 3 nodes",
        "NoClientsConnected": "nobody else is connected to 3 nodes",
        "TablesUnchanged": "14 tables, as after the store's restore",
        "TimestampRowUnchanged": "value and write time of the bound are unchanged",
        "NothingOldCanReplay": "no hints, no paxos rows, no streams",
        "NothingRunning": "no repair, stream or compaction of these tables",
        "TimestampsInOrder": f"B = {B}, F = {F}",
        "SchemaKnown": "from 1 schema 1, from 900001 schema 2, from 1000001 schema 3; valid to 3000000",
        "DirectoriesWritable": "state and export directories can be written",
    }
    return [
        GuardChecked(step=step, guard=name, status=status, evidence=evidence, remedy="Mend it.")
        for name, (status, evidence) in {n: ("passed", e) for n, e in names.items()}.items() | changed.items()
        if name not in changed or (status, evidence) == changed[name]
    ]


def removal_facts(count: int = 1_284, *, odd: int = 0, **more: Any) -> dict[str, Any]:
    """Those of a plan, as the step makes them."""
    thirds = {"1": count - count // 5 - count // 9, "2": count // 9, "3": count // 5}
    return {
        "after": B,
        "count": count,
        "by_schema": {schema: n for schema, n in thirds.items() if n},
        "scanned": {"_transactions": 402_113, "_transactions2": 9_120},
        "first_commit": B + 9,
        "last_commit": F - 131,
        "straddling": 7,
        "staging": 1,
        "highest": F - 131,
        "odd": odd,
        "odd_cells": [
            f"_transactions key 0x{number:016x} column1 0x74 column2 -1 value 0xff{number:06x} (4 bytes): no VarLong"
            for number in range(odd)
        ],
        "histogram": histogram(count),
        "samples": [
            {"schema": 1, "start": B + 3 + n, "commit": B + 9 + 7 * n, "state": "committed"} for n in range(10)
        ],
        "straddlers": [{"schema": 1, "start": B - 30 + n, "commit": B + 9 + n, "state": "committed"} for n in range(7)],
        "digest": f"{count}:9f0c",
        "export": EXPORT,
        "removal": "delete",
        "statements": [
            {
                "schema": 1,
                "cql": 'DELETE FROM "orders"."_transactions" USING TIMESTAMP ? WHERE key = ? AND column1 = ? AND '
                "column2 = ?",
                "effect": "deletes the row at its own write time (a tie goes to the tombstone), at ALL",
            },
            {
                "schema": 3,
                "cql": 'INSERT INTO "orders"."_transactions2" (key, column1, column2, value) VALUES (?, ?, ?, ?) USING '
                "TIMESTAMP ?",
                "effect": "writes the abort marker 0x00 above the commit's own write time, at ALL; never deleted",
            },
        ],
        **more,
    }


def histogram(count: int) -> dict[str, int]:
    """Some hundred thousand commits that stay, and `count` that go."""
    stay = {str(-k): max(20_000 - (k - 14) ** 2 * 300, 0) for k in range(1, 21)}
    go = {str(k): count // 2 ** max(12 - k, 1) for k in range(3, 12)}
    go["12"] = count - sum(go.values())
    return {bucket: n for bucket, n in (stay | go).items() if n}


def plan(found: Mapping[str, Any] | None = None, *, fingerprint: str = "5ab3c2d1e0f94877") -> PlanMade:
    found = removal_facts() if found is None else found
    count = found["count"]
    return PlanMade(
        step=CLEAN,
        title=f"remove {count:,} transactions committed after {B} from orders",
        lines=(
            "scanned at ALL: 402,113 cells of _transactions, 9,120 cells of _transactions2",
            f"commit timestamps from {B + 9} to {F - 131}, all above {B}",
            *(f"line {number} of what will be done" for number in range(20)),
        ),
        fingerprint=fingerprint,
        facts=dict(found),
    )


def question(made: PlanMade, *, cluster: str = "prod-eu-1", mode: str = "LIVE") -> Question:
    count = made.facts["count"]
    practice = "practice " if mode == "PRACTICE" else ""
    return Question(
        name=CLEAN,
        text=f"{count:,} transactions will be removed. There is no undo but the export.",
        detail=made.lines,
        phrase=f"{practice}remove {count} from orders on {cluster}",
        fingerprint=made.fingerprint,
        remove_at_most_needed=count,
    )


def shown(app: App[Any]) -> str:
    """The screen as lines of text."""
    width = app.size.width
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text.ljust(width)[:width].rstrip() for strip in lines)


def flat(app: App[Any]) -> str:
    """What stands beside the rail as one line of single spaces; of a dialog, all of it without its frame."""
    text = shown(app)
    found = app.screen.query("#main")
    if found:
        region = found.first().region
        text = "\n".join(line[region.x : region.right] for line in text.split("\n")[region.y :])
    return " ".join(text.translate(dict.fromkeys(map(ord, "│┃|"), " ")).split())


async def until(app: App[Any], pilot: Pilot[Any], *texts: str) -> str:
    """The screen, as soon as it shows all of these; line ends do not matter."""
    for _ in range(2_000):
        text, all_of_it = shown(app), flat(app)
        if all(wanted in text or wanted in all_of_it for wanted in texts):
            return text
        await pilot.pause(0.02)
    raise AssertionError(f"{texts} {app.screen.classes} {app.screen.size}\n{shown(app)}")
