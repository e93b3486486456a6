"""Line mode's counts: one line for a node with all it counts, when it is further, and never a flood."""

from atlasdb_recovery.cli.narration import Narration
from atlasdb_recovery.cli.progress_lines import ProgressLines
from atlasdb_recovery.events import Progressed, RangesRepaired, RepairStopped, ServerAsked


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def progressed(unit: str, done: int, total: int | None = None, scope: str = "10.0.0.1") -> Progressed:
    return Progressed(step="repair", unit=unit, done=done, total=total, scope=scope)


def test_a_node_has_one_line_with_all_its_counts() -> None:
    clock = Hands()
    lines = ProgressLines(clock)
    assert lines.line_for(progressed("ranges", 1, 16)) is None
    clock.now = 5.0
    assert lines.line_for(progressed("bytes validated", 1_200_000, 3_400_000)) is None
    clock.now = 11.0
    line = lines.line_for(progressed("ranges", 3, 16))
    assert line is not None
    assert line.startswith("repair 10.0.0.1: 3 of 16 ranges, ")
    assert "1.2 MB of 3.4 MB validated" in line
    assert lines.latest("repair").startswith("10.0.0.1 3 of 16 ranges")
    assert lines.latest("another") == ""


def test_nothing_is_said_twice() -> None:
    clock = Hands()
    lines = ProgressLines(clock)
    lines.line_for(progressed("ranges", 2, 16))
    clock.now = 11.0
    assert lines.line_for(progressed("ranges", 2, 16)) is not None
    clock.now = 30.0
    assert lines.line_for(progressed("ranges", 2, 16)) is None


def test_many_nodes_say_two_lines_a_second_together() -> None:
    clock = Hands()
    lines = ProgressLines(clock)
    said = 0
    for second in range(600):
        clock.now = float(second)
        for node in range(300):
            said += lines.line_for(progressed("ranges", second + 1, 1_000, scope=f"10.0.0.{node}")) is not None
    assert 600 <= said <= 1_300


def test_a_step_without_nodes_counts_as_before() -> None:
    clock = Hands()
    lines = ProgressLines(clock)
    assert lines.line_for(progressed("rows", 0, scope="")) is None
    clock.now = 3.0
    assert lines.line_for(progressed("rows", 10, scope="")) == "repair: 10 rows, 3/s"
    clock.now = 4.0
    assert lines.line_for(progressed("rows", 12, scope="")) is None


def asked(seconds: float, *, repairing: bool | None = True, answer: str = "validation: 1 of 2 bytes") -> ServerAsked:
    return ServerAsked(step="repair", node="10.0.0.1", answer=answer, repairing=repairing, silent_seconds=seconds)


def test_a_long_silence_is_told_more_and_more_seldom() -> None:
    narration = Narration(())
    told = [event.silent_seconds for s in range(30, 1000, 30) if narration.lines_for(event := asked(float(s)))]
    assert told == [30, 60, 120, 240, 480, 960]
    assert narration.lines_for(asked(970.0, repairing=False, answer="nothing"))
    assert narration.lines_for(asked(30.0, repairing=False, answer="nothing")), "another silence"


def test_words_for_what_the_server_says_and_for_what_fails() -> None:
    narration = Narration(())
    assert narration.lines_for(asked(62.4)) == [
        "repair: 10.0.0.1: silent for 62 s; the server was asked: still at it: validation: 1 of 2 bytes"
    ]
    assert "UNKNOWN" in narration.lines_for(asked(0.0, repairing=None))[0]
    many = tuple(f"({number},{number + 1}]" for number in range(10, 20))
    (line,) = narration.lines_for(RangesRepaired(step="repair", node="n", ranges=("(1,2]",), failed=many))
    assert "FAILED" in line
    assert line.endswith("and 6 more")
    assert narration.lines_for(RangesRepaired(step="repair", node="n", ranges=many)) == []
    (stopped,) = narration.lines_for(RepairStopped(step="repair", node="n", goes_on="Cassandra goes on."))
    assert stopped == "repair: n: STOPPED by the operator. Cassandra goes on."
