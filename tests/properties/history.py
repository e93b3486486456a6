"""A random history: everything that is drawn of it, as a record that can be printed, edited and played again.

Plain seeds rather than hypothesis: ten thousand of them are dealt out to processes by number, and hypothesis, which
draws a few hundred times for each, would take as long as the restores. What fails is shrunk by taking things out of
the record, one at a time: `python -m tests.properties SEED`.
"""

import random
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from atlasdb_recovery.practice.simulated import Dialect

Drawn = TypeVar("Drawn")

SLOWEST, FASTEST = -4.0, 4.0
"""Clocks of nodes, in seconds; a restore refuses clocks that are 10 s apart."""

TROUBLES = (("none",), ("none", "down"), ("none", "lossy"), ("none", "loss"), ("down", "lossy", "loss"))
"""What chapters of a history may have; a quorum of fewer than three replicas survives none of it."""

WRITES = ("put", "delete", "paxos.prepared", "paxos.accepted", "paxos.committed")
POINTS = ("scan", "read", "read_partition", *WRITES)


DrawChapter = Callable[[int | None], "Chapter"]


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the service's life; nodes are numbers in order of their addresses."""

    stages: int
    schema: int | None = None
    """Installed at its beginning."""
    down: int | None = None
    """A node that is not there meanwhile."""
    lossy: int | None = None
    """A node that drops every mutation sent to it."""
    loss: float = 0.0
    """The chance that any one mutation to any node is dropped."""
    late: float = 0.0
    """The share of what replicas lack that reaches them at its end: hints, read repairs."""
    timeouts: float = 0.0
    """The chance that a conditional write of a transaction times out."""
    finishes: bool = False
    """Whether every open transaction comes to its end."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong once during the restore, when a point is reached after it was passed so many times."""

    point: str
    passes: int
    stops: int | None = None
    """This node stops; else the request fails there, with its outcome unknown."""


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """The restoring process is gone: after this many journal records, or around this one of its requests."""

    records: int | None = None
    requests: int | None = None
    is_done: bool = False
    """The request took effect, but nobody heard of it."""


class Restoring(msgspec.Struct, frozen=True, kw_only=True):
    """How the restore goes."""

    removal: str
    parallel: bool
    by_hand: bool
    """The store is restored before the session begins."""
    old_ids: bool
    """By a tool that creates the tables under the ids they had."""
    elsewhere: bool
    """Into other machines that own the same tokens."""
    hollow: int | None
    """A node whose repair says success and does nothing."""
    loss: float
    """The chance that a mutation is dropped, while the first sessions last."""
    kills: tuple[Kill, ...]
    troubles: tuple[Trouble, ...]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One life of a service, its backup, its loss and its restore."""

    seed: int
    """Of everything that is chosen while it is played."""
    dialect: Dialect
    tokens: tuple[tuple[str, ...], ...]
    """Each node's, in hex."""
    factor: int
    skews: tuple[float, ...]
    in_turns: bool
    """Whether requests go to every node, each with a clock of its own."""
    at_once: int
    quantum: int
    """How far ahead schemas are decided."""
    before: tuple[Chapter, ...]
    snapshots: bool
    """The store's copy is made by nodetool snapshot; else node by node and table by table, in any order, by hand."""
    two_files: bool
    """The backup has no manifest."""
    coordination_first: bool
    """`_coordination` is copied on every node before anything else is, by hand."""
    until_copied: int
    """Stages of the service between B and the first copy."""
    stages_a_request: int
    """At most so many run before each request of the backup."""
    meanwhile: Chapter
    """Played once, somewhere between B and F, perhaps between two copies; not if its stages are 0."""
    kills: tuple[Kill, ...]
    """Of the process that backs up."""
    restoring: Restoring


def drawn(source: random.Random) -> History:
    """A history; the more draws are low, the simpler it is."""
    nodes = source.randint(3, 6)
    factor = source.choice([factor for factor in (3, 3, 3, 2, 1, 4, 5) if factor <= nodes])
    draw = partial(_chapter, source, nodes, source.choice(TROUBLES) if factor >= 3 else ("none",))
    snapshots = source.random() < 0.3
    two_files = source.random() < 0.25
    return History(
        seed=source.randrange(2**32),
        dialect=source.choice((Dialect.APACHE, Dialect.PALANTIR)),
        tokens=_tokens(source, nodes),
        factor=factor,
        skews=tuple(
            _sometimes(source, 0.4, lambda: round(source.uniform(SLOWEST, FASTEST), 3)) or 0.0 for _ in range(nodes)
        ),
        in_turns=source.random() < 0.6,
        at_once=source.randint(1, 12),
        quantum=source.choice((5_000_000, 24_990_000) if two_files else (5_000_000, 24_990_000, 30)),
        before=_life(source, draw),
        snapshots=snapshots,
        two_files=two_files,
        coordination_first=source.random() < 0.3,
        until_copied=source.choice((0, 5, 60)),
        stages_a_request=source.randint(0, 6),
        meanwhile=_meanwhile(source, draw, installs=not two_files),
        restoring=_restoring(source, nodes, snapshots=snapshots),
        kills=tuple(_kill(source, 60, 200) for _ in range(source.choice((0, 0, 0, 1, 2)))),
    )


def of_seed(seed: int) -> History:
    return drawn(random.Random(seed))


def _sometimes(source: random.Random, chance: float, draw: Callable[[], Drawn]) -> Drawn | None:
    return draw() if source.random() > 1 - chance else None


def _tokens(source: random.Random, nodes: int) -> tuple[tuple[str, ...], ...]:
    """One or two a node, of up to three bytes; now and then all of them among the keys of one table."""
    each = source.choice((1, 1, 2))
    first = source.choice((b"", b"", b"", b"\xc0", b"\x20"))
    found: set[bytes] = set()
    while len(found) < nodes * each:
        found.add(first + source.randbytes(source.randint(1, 3)))
    shuffled = sorted(token.hex() for token in found)
    source.shuffle(shuffled)
    return tuple(tuple(sorted(shuffled[node * each : (node + 1) * each])) for node in range(nodes))


def _life(source: random.Random, draw: DrawChapter) -> tuple[Chapter, ...]:
    order = source.choice(((1, 2, 3), (1, 3), (2, 3), (3,), (1, 2), (2,), (1,), (3, 2, 1), (1, 3, 2, 3), (2, 1), ()))
    chapters = []
    for schema in (None, *order):
        chapters.append(draw(schema))
        if source.random() < 0.4:
            chapters.append(draw(None))
    return tuple(chapters)


def _chapter(source: random.Random, nodes: int, troubles: tuple[str, ...], schema: int | None) -> Chapter:
    trouble = source.choice(troubles)
    return Chapter(
        stages=source.randint(0, 50),
        schema=schema,
        down=source.randrange(nodes) if trouble == "down" else None,
        lossy=source.randrange(nodes) if trouble == "lossy" else None,
        loss=source.choice((0.02, 0.2)) if trouble == "loss" else 0.0,
        late=source.choice((0.0, 0.0, 0.5, 1.0)),
        timeouts=source.choice((0.0, 0.0, 0.2)),
        finishes=source.random() < 0.2,
    )


def _meanwhile(source: random.Random, draw: DrawChapter, *, installs: bool) -> Chapter:
    """No node is down while a backup is taken. Without a manifest no more may be decided than what was copied."""
    schema = source.choice((None, None, 1, 2, 3)) if installs else None
    return msgspec.structs.replace(draw(schema), down=None)


def _restoring(source: random.Random, nodes: int, *, snapshots: bool) -> Restoring:
    by_tool = not snapshots and source.random() < 0.3
    return Restoring(
        removal=source.choice(("delete", "abort")),
        parallel=source.random() < 0.3,
        by_hand=by_tool,
        old_ids=not snapshots and source.random() < 0.2,
        elsewhere=source.random() < 0.25,
        hollow=_sometimes(source, 0.2, lambda: source.randrange(nodes)),
        loss=source.choice((0.0, 0.0, 0.0, 0.05)),
        kills=tuple(_kill(source, 200, 900) for _ in range(source.choice((0, 0, 1, 1, 2, 3)))),
        troubles=tuple(_trouble(source, nodes) for _ in range(source.choice((0, 0, 1, 2)))),
    )


def _kill(source: random.Random, records: int, requests: int) -> Kill:
    if source.random() < 0.5:
        return Kill(records=source.randint(1, records))
    return Kill(requests=source.randint(1, requests), is_done=source.random() < 0.5)


def _trouble(source: random.Random, nodes: int) -> Trouble:
    stops = _sometimes(source, 0.3, lambda: source.randrange(nodes))
    return Trouble(point=source.choice(POINTS), passes=source.choice((0, 1, 3, 10, 40)), stops=stops)
