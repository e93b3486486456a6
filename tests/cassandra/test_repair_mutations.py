"""100,000 damaged, shuffled and mixed transcripts: none may turn a failure, or lost evidence, into "repaired".

Every mutation is drawn from a seed that the failure message names, so that each can be run again alone.
"""

import functools
import random
from collections.abc import Callable, Sequence

import pytest

from atlasdb_recovery.cassandra.ports import Line
from atlasdb_recovery.cassandra.repair import Verdict, judge
from atlasdb_recovery.cassandra.repair_log import lines_in
from atlasdb_recovery.cassandra.repair_ranges import Range
from tests.cassandra.repair_transcripts import Run, runs

LONGEST = 60  # lines; a traced run has hundreds of them that say nothing
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1")
Mutation = Callable[[random.Random, list[str]], list[str]]


def shuffled(rng: random.Random, lines: list[str]) -> list[str]:
    return rng.sample(lines, len(lines))


def swapped_neighbours(rng: random.Random, lines: list[str]) -> list[str]:
    lines = list(lines)
    for _ in range(rng.randint(1, 4)):
        if len(lines) > 1:
            at = rng.randrange(len(lines) - 1)
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return lines


def duplicated(rng: random.Random, lines: list[str]) -> list[str]:
    return [line for line in lines for _ in range(rng.choice((1, 1, 2, 3)))]


def coloured(rng: random.Random, lines: list[str]) -> list[str]:
    return [f"\x1b[{rng.randint(30, 37)}m{line}\x1b[0m" for line in lines]


def with_carriage_returns(rng: random.Random, lines: list[str]) -> list[str]:
    return [f"{line}\r" for line in lines]


def padded(rng: random.Random, lines: list[str]) -> list[str]:
    at = rng.randint(0, len(lines))
    return [*lines[:at], "x" * 20_000, *lines[at:]]


def head_cut(rng: random.Random, lines: list[str]) -> list[str]:
    return lines[rng.randint(0, len(lines)) :]


def tail_cut(rng: random.Random, lines: list[str]) -> list[str]:
    return lines[: rng.randint(0, len(lines))]


def dropped(rng: random.Random, lines: list[str]) -> list[str]:
    return [line for line in lines if rng.random() > 0.25]


def bytes_cut(rng: random.Random, lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    return text[: rng.randint(0, len(text))].split("\n")


def one_line_cut(rng: random.Random, lines: list[str]) -> list[str]:
    lines = list(lines)
    if lines:
        at = rng.randrange(len(lines))
        lines[at] = lines[at][: rng.randint(0, max(0, len(lines[at]) - 1))]
    return lines


HARMLESS: Sequence[Mutation] = (shuffled, swapped_neighbours, duplicated, coloured, with_carriage_returns, padded)
HARMFUL: Sequence[Mutation] = (head_cut, tail_cut, dropped, bytes_cut, one_line_cut)


def interleaved(rng: random.Random, one: list[str], other: list[str]) -> list[str]:
    mixed, left, right = [], list(one), list(other)
    while left or right:
        source = left if left and (not right or rng.random() < len(left) / (len(left) + len(right))) else right
        mixed.append(source.pop(0))
    return mixed


def as_lines(texts: list[str]) -> list[Line]:
    return [Line(at=float(at), stream="stdout", text=text) for at, text in enumerate(texts)]


def texts(run: Run) -> list[str]:
    return [line.text for line in run.lines if not line.text.startswith("\tat ")]


@functools.cache
def failing() -> list[Run]:
    """Runs after which the replicas differ, except where the table was taken away, which no transcript shows."""
    return [r for r in runs() if r.truth == "not-repaired" and not r.loses_its_table and len(texts(r)) < LONGEST]


@functools.cache
def good() -> list[Run]:
    """Full repairs of one keyspace that worked."""
    return [
        r
        for r in runs()
        if judge(r.command, r.lines).verdict is Verdict.REPAIRED and "all-keyspaces" not in r.name
        if len(texts(r)) < LONGEST and not r.loses_its_table
    ]


@functools.cache
def whole_lines(run: Run) -> tuple[frozenset[str], frozenset[str], str | None]:
    """The lines that prove a good run, told from its text alone: sessions, successes, the first line."""
    lines = texts(run)
    sessions = frozenset(line for line in lines if "] Repair session " in line)
    successes = frozenset(line for line in lines if line.endswith("] Repair completed successfully"))
    return sessions, successes, next((line for line in lines if "] Starting repair command" in line), None)


@functools.cache
def covered(run: Run) -> frozenset[Range]:
    return judge(run.command, run.lines).ranges_done


@pytest.mark.parametrize("part", range(4))
def test_a_failing_run_is_never_repaired_however_it_is_damaged(part: int) -> None:
    for number in range(10_000):
        seed = part * 10_000 + number
        rng = random.Random(seed)
        run = rng.choice(failing())
        lines = texts(run)
        for mutation in rng.choices((*HARMLESS, *HARMFUL), k=rng.randint(1, 3)):
            lines = mutation(rng, lines)
        assert judge(run.command, as_lines(lines)).verdict is not Verdict.REPAIRED, (seed, run.name)


@pytest.mark.parametrize("part", range(2))
def test_the_success_of_one_run_never_covers_the_failure_of_another(part: int) -> None:
    for number in range(10_000):
        seed = 100_000 + part * 10_000 + number
        rng = random.Random(seed)
        run, other = rng.choice(failing()), rng.choice(good())
        extra = texts(other)
        if rng.random() < 0.5:
            extra = rng.choice((*HARMLESS, *HARMFUL))(rng, extra)
        lines = interleaved(rng, rng.choice(HARMLESS)(rng, texts(run)), extra)
        shows_its_options = "-st" not in run.command  # that -pr was ignored is on the command line alone
        command = rng.choice((run.command, other.command, None)) if shows_its_options else run.command
        assert judge(command, as_lines(lines)).verdict is not Verdict.REPAIRED, (seed, run.name, other.name, command)


def test_failing_runs_without_a_line_of_failure_do_not_borrow_the_end_of_another() -> None:
    for seed in range(200_000, 210_000):
        rng = random.Random(seed)
        run, other = rng.choice(good()), rng.choice(good())
        if run is other:
            continue
        sessions, successes, first = whole_lines(run)
        lines = interleaved(rng, texts(run), texts(other))
        lost = rng.choice(sorted(sessions))
        if first is None or rng.random() < 0.5:
            lines = [line for line in lines if line not in successes and "finished in" not in line]
        else:
            lines = [line for line in lines if line != lost]
        assert judge(run.command, as_lines(lines)).verdict is not Verdict.REPAIRED, (seed, run.name, other.name)


@pytest.mark.parametrize("part", range(3))
def test_a_good_run_that_lost_its_evidence_is_not_repaired(part: int) -> None:
    proven = 0
    for number in range(10_000):
        seed = 300_000 + part * 10_000 + number
        rng = random.Random(seed)
        run = rng.choice(good())
        lines = texts(run)
        for mutation in rng.choices(HARMFUL, k=rng.randint(1, 2)):
            lines = mutation(rng, lines)
        sessions, successes, first = whole_lines(run)
        left = frozenset(lines)
        expected = rng.choice((None, covered(run)))
        if judge(run.command, as_lines(lines), expected=expected).verdict is Verdict.REPAIRED:
            proven += 1
            assert left & successes, (seed, run.name)
            assert left & sessions, (seed, run.name)
            if expected is not None or first in left:
                assert left >= sessions, (seed, run.name)
    assert proven > 500


def test_what_loses_no_evidence_changes_nothing() -> None:
    for seed in range(400_000, 405_000):
        rng = random.Random(seed)
        run = rng.choice(good())
        lines = texts(run)
        for mutation in rng.choices(HARMLESS, k=2):
            lines = mutation(rng, lines)
        assert judge(run.command, as_lines(lines)).verdict is Verdict.REPAIRED, (seed, run.name)


def test_the_encoding_of_a_file_changes_nothing() -> None:
    for seed in range(500_000, 502_500):
        rng = random.Random(seed)
        run = rng.choice(runs())
        content = rng.choice((run.stdout, run.timed)).decode()
        if len(content) > 20_000:
            continue
        written = content.replace("\n", rng.choice(("\n", "\r\n", "\r"))).encode(rng.choice(ENCODINGS))
        assert judge(run.command, lines_in(written)).verdict is judge(run.command, lines_in(run.stdout)).verdict, seed


def test_a_cut_file_in_any_encoding_is_never_better_than_the_whole() -> None:
    for seed in range(600_000, 602_500):
        rng = random.Random(seed)
        run = rng.choice(failing())
        content = (run.stdout + run.stderr).decode().encode(rng.choice(ENCODINGS))
        cut = content[rng.choice((0, 0, rng.randint(0, len(content)))) : rng.randint(0, len(content))]
        assert judge(run.command, lines_in(cut)).verdict is not Verdict.REPAIRED, (seed, run.name)
