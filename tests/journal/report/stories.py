"""Sessions as journals, for reports: a restore that went well, and what can become of one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from atlasdb_recovery.events import (
    AnswerGiven,
    CommandEnded,
    CommandStarted,
    Event,
    FactEstablished,
    GuardChecked,
    GuardOverruled,
    LinePrinted,
    Noted,
    PlanMade,
    QuestionAsked,
    RepairJudged,
    SessionCompleted,
    SessionParked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
    StepPerformed,
    StepVerified,
)
from atlasdb_recovery.journal.record import MemoryJournal, Record

SESSION = "20261123T031502Z-restore-orders-3f2a"
NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
BEGAN = datetime(2026, 11, 23, 3, 15, 2, tzinfo=UTC)
Scene = Iterator[tuple[float, Event]]
"""Seconds to wait, and then the event."""


def recorded(*scenes: Scene) -> list[Record]:
    now = BEGAN
    journal = MemoryJournal(clock=lambda: now)
    for scene in scenes:
        for seconds, event in scene:
            now += timedelta(seconds=seconds)
            journal.append(event)
    return list(journal.records())


def started(mode: str = "LIVE", procedure: str = "restore", keyspace: str = "orders") -> Scene:
    yield (
        0,
        SessionStarted(
            session=SESSION,
            procedure=procedure,
            keyspace=keyspace,
            mode=mode,
            version="0.1.0",
            operator="ann",
            host="bastion-2",
            process=4711,
            settings={"backup_dir": "/backups/orders", "removal": "delete"},
        ),
    )


def guard(step: str, name: str, status: str = "passed", evidence: str = "as it should be", remedy: str = "") -> Event:
    return GuardChecked(step=step, guard=name, status=status, evidence=evidence, remedy=remedy, seconds=0.2)


def act(step: str, title: str, lines: tuple[str, ...], attempt: int = 1) -> Scene:
    yield 1, PlanMade(step=step, title=title, lines=lines, fingerprint="0123456789abcdef")
    yield 1, StepIntended(step=step, fingerprint="0123456789abcdef", attempt=attempt)


def done(step: str, seconds: float, *evidence: str) -> Scene:
    yield 0, StepPerformed(step=step, seconds=seconds)
    yield 2, StepVerified(step=step, evidence=evidence)


def preflight() -> Scene:
    step = "preflight"
    yield 1, guard(step, "KeyspaceAbsent", evidence="keyspace orders does not exist on any node")
    yield 0.3, guard(step, "AllNodesUp", "blocked", "127.0.0.3 is DN", "Start the node, then check again.")
    yield 41, guard(step, "AllNodesUp", evidence="3 of 3 nodes are UN")
    yield 0.2, guard(step, "NoClientsConnected", "not-applicable", "this server cannot list its clients")
    yield 0.2, guard(step, "ReplicationSafe", "warned", "SimpleStrategy ignores racks", "Use NetworkTopologyStrategy.")
    yield from act(step, "restore keyspace orders to B = 1000042", ("B = 1000042, F = 2500001",))
    question = "Is every instance of the service on keyspace orders stopped, and will it stay so?"
    yield 1, QuestionAsked(step=step, name="offline", question=question)
    yield 25, AnswerGiven(step=step, name="offline", answer=True, by="terminal")
    yield 0, FactEstablished(step=step, name="backup-timestamp", value=1_000_042)
    yield 0, FactEstablished(step=step, name="fast-forward-timestamp", value=2_500_001)
    identity = {
        "cluster_name": "prod-eu-1",
        "partitioner": "org.apache.cassandra.dht.ByteOrderedPartitioner",
        "nodes": {f"6f1c-{n}": address for n, address in enumerate(NODES)},
    }
    yield 0, FactEstablished(step=step, name="cluster-identity", value=identity)
    yield from done(step, 1.0, "cluster prod-eu-1, 3 nodes, pinned for this session", "B = 1000042; F = 2500001")


def overruled() -> Scene:
    """Clocks apart, and the operator goes on."""
    yield 1, guard("preflight", "ClocksClose", "blocked", "127.0.0.2 is 74 s ahead", "Mend its clock.")
    reason = "the node's clock was set right a minute ago, and it is stepping back slowly"
    yield 50, GuardOverruled(step="preflight", guard="ClocksClose", reason=reason, by="wizard")


def restore_store() -> Scene:
    step = "restore-store"
    command = ("medusa", "restore-cluster", "--backup-name", "orders 2026-11-22")
    yield from act(step, "restore keyspace orders by method command", (" ".join(command),))
    yield 0, CommandStarted(step=step, source="store", command=command)
    yield 30, LinePrinted(step=step, source="store", stream="stdout", text="Restoring 3 nodes", at=30.0)
    yield 372, CommandEnded(step=step, source="store", exit_code=0, seconds=402.0)
    yield from done(step, 402.0, "keyspace orders has 14 tables, every one of the manifest's is there")


def repair_node(node: str, verdict: str, seconds: float, attempt: int = 1, reason: str = "") -> Scene:
    step, number = "repair", NODES.index(node)
    tables = ("_transactions", "_transactions2")
    command = ("nodetool", "-h", node, "repair", "-pr", "-full", "--", "orders", *tables)
    yield 0, CommandStarted(step=step, source=node, command=command)
    yield (
        seconds,
        LinePrinted(step=step, source=node, stream="stdout", text="Repair completed successfully", at=seconds),
    )
    yield 0, CommandEnded(step=step, source=node, exit_code=0, seconds=seconds)
    ranges = tuple(f"({number}{k:x}, {number}{k + 1:x}]" for k in range(8)) if verdict == "repaired" else ()
    reasons = (reason or "8 of 8 expected ranges repaired, completion line seen",)
    yield (
        0,
        RepairJudged(
            step=step, node=node, tables=tables, verdict=verdict, reasons=reasons, ranges=ranges, attempt=attempt
        ),
    )


def repair(attempt: int = 1) -> Scene:
    lines = tuple(f"nodetool -h {node} repair -pr -full -- orders _transactions _transactions2" for node in NODES)
    yield 1, guard("repair", "NothingElseRuns", evidence="no repair, stream or hint on any node")
    yield from act("repair", "repair _transactions, _transactions2 of orders on 3 nodes", lines, attempt)
    for node in NODES:
        yield from repair_node(node, "repaired", 61, attempt)
    yield from done("repair", 183.0, "_transactions, _transactions2 repaired on 3 of 3 nodes, 24 token ranges")


def failed_repair() -> Scene:
    yield from act("repair", "repair _transactions of orders on 3 nodes", ("nodetool repair …",))
    yield from repair_node(NODES[0], "repaired", 64)
    reason = "3 of 8 expected ranges are not accounted for, though it said “finished in 19 seconds”"
    yield from repair_node(NODES[1], "not-repaired", 19, reason=reason)
    yield (
        0,
        StepFailed(
            step="repair",
            problem="the repair is not proven on 127.0.0.2",
            evidence=(f"127.0.0.2: {reason}",),
            remedy="Look at the node's log, mend the cause, then retry: nodes already repaired are not repaired again.",
        ),
    )


def overnight() -> Scene:
    yield 40, SessionParked(step="repair", reason="the operator stopped before this step")
    yield 5.2 * 3600, SessionResumed(operator="bob", host="bastion-1", process=99, lock_taken_from="ann on bastion-2")


def mended_repair() -> Scene:
    yield from act("repair", "repair _transactions of orders on 3 nodes", ("nodetool repair …",), 2)
    yield from repair_node(NODES[1], "repaired", 70, 2)
    yield from repair_node(NODES[2], "repaired", 66)
    yield from done("repair", 136.0, "_transactions, _transactions2 repaired on 3 of 3 nodes, 24 token ranges")


def clean(phrase: str = "remove 1284 from orders on prod-eu-1") -> Scene:
    step = "clean-transactions"
    facts = {
        "after": 1_000_042,
        "count": 1284,
        "by_schema": {"1": 1203, "3": 81},
        "scanned": {"_transactions": 402_113, "_transactions2": 9_120},
        "first_commit": 1_000_051,
        "last_commit": 2_499_870,
        "straddling": 7,
        "staging": 1,
        "odd": 0,
    }
    yield from act(step, "remove 1,284 transactions committed after 1000042 from orders", ("export, then delete each",))
    text = "1,284 transactions will be removed. There is no undo but the export."
    yield 0, QuestionAsked(step=step, name=step, question=text, phrase=phrase, fingerprint="0123456789abcdef")
    yield 32, AnswerGiven(step=step, name=step, answer=phrase, by="terminal", fingerprint="0123456789abcdef")
    yield 0, FactEstablished(step=step, name="findings", value=facts)
    export = {"path": f"/var/lib/atlasdb-recovery/pre-images-{SESSION}-1.jsonl", "count": 1284, "digest": "1284:9f0c"}
    yield 4, FactEstablished(step=step, name="export", value=export)
    yield 3, FactEstablished(step=step, name="removed", value={"count": 1284, "export": export["path"]})
    yield from done(
        step, 39.0, "no transaction committed after 1000042 is left: 402,113 cells of _transactions read at ALL"
    )


def fast_forward() -> Scene:
    step = "fast-forward"
    yield from act(step, "fast-forward to 2500001", ("stored bound now: 1100001", "fast-forward to 2500001"))
    value = {"target": 2_500_001, "before": 1_100_001, "reached": 3_500_001, "changed": True}
    yield 0.4, FactEstablished(step=step, name="fast-forwarded", value=value, source="the _timestamp table")
    yield from done(step, 0.4, "the stored bound is 3500001, at or above F = 2500001")


def prove() -> Scene:
    yield from act("prove", "read back the bound, the repair's coverage and the guards' baselines", ())
    yield 0, Noted(step="prove", level="note", text="looking at every claim once more")
    yield from done("prove", 2.0, "24 token ranges repaired", "the stored bound is 3500001")


def completed() -> Scene:
    yield 0, SessionCompleted(evidence=("24 token ranges repaired", "the stored bound is 3500001"))


def one(event: Event) -> Scene:
    yield 1, event


def successful(mode: str = "LIVE") -> list[Record]:
    rest = (restore_store(), repair(), clean(), fast_forward(), prove(), completed())
    return recorded(started(mode), preflight(), *rest)


def resumed() -> list[Record]:
    """Failed at the repair, parked overnight, taken over by somebody else, and completed."""
    before = (started(), preflight(), restore_store(), failed_repair(), overnight())
    return recorded(*before, mended_repair(), clean(), fast_forward(), prove(), completed())


def parked() -> list[Record]:
    park = SessionParked(step="clean-transactions", reason="the question “clean-transactions” was not answered")
    return recorded(started(), preflight(), restore_store(), repair(), one(park))


def failed() -> list[Record]:
    return recorded(started(), preflight(), restore_store(), failed_repair())


def killed() -> list[Record]:
    """The process died while transactions were being removed."""
    removal = list(clean())[:-3]
    return recorded(started(), preflight(), restore_store(), repair(), iter(removal))


def removed_twice() -> list[Record]:
    """The removal was interrupted, and found less the second time."""
    again = [event for _, event in clean()]
    findings = FactEstablished(step="clean-transactions", name="findings", value={"count": 84, "by_schema": {"1": 84}})
    done = FactEstablished(step="clean-transactions", name="removed", value={"count": 84, "export": "second"})
    second = [(1.0, findings if e == again[4] else done if e == again[6] else e) for e in again]
    back = SessionResumed(operator="ann", host="bastion-2", process=4800)
    before = (started(), preflight(), restore_store(), repair(), iter(list(clean())[:-3]), one(back))
    return recorded(*before, iter(second), fast_forward(), prove(), completed())


def vouched_for() -> list[Record]:
    """Complete, but a guard was overruled on the way."""
    rest = (restore_store(), repair(), clean(), fast_forward(), prove(), completed())
    return recorded(started(), overruled(), preflight(), *rest)


STORIES: dict[str, Callable[[], list[Record]]] = {
    "successful": successful,
    "practice": lambda: successful("PRACTICE"),
    "resumed": resumed,
    "parked": parked,
    "failed": failed,
    "killed": killed,
    "removed twice": removed_twice,
    "overruled": vouched_for,
    "empty": list,
}
