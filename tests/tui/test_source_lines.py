"""Raw lines within a bound of memory."""

from hypothesis import given
from hypothesis import strategies as st

from tui.source_lines import SourceLine, SourceLines


@given(st.lists(st.sampled_from("aaaabbc"), max_size=300), st.integers(1, 60))
def test_the_newest_are_kept_and_every_line_keeps_its_number(sources: list[str], kept: int) -> None:
    lines, came = SourceLines(kept), dict.fromkeys("abc", 0)
    for source in sources:
        lines.add(source, SourceLine(0.0, "out", f"{source}{came[source]}"))
        came[source] += 1
    seen = {source: lines.since(source, 0) for source in "abc"}
    assert sum(map(len, seen.values())) == min(len(sources), kept)
    for source, found in seen.items():
        assert lines.count(source) == came[source]
        assert [number for number, _ in found] == list(range(lines.dropped(source), came[source]))
        assert all(line.text == f"{source}{number}" for number, line in found)


def test_one_that_talks_much_does_not_push_out_the_others() -> None:
    lines = SourceLines(100)
    for at in range(30):
        lines.add("quiet", SourceLine(0.0, "out", str(at)))
    for at in range(5_000):
        lines.add("loud", SourceLine(0.0, "out", str(at)))
    assert lines.dropped("quiet") == 0


def test_what_has_come_since() -> None:
    lines = SourceLines()
    for at in range(5):
        lines.add("a", SourceLine(float(at), "out", str(at)))
    assert [line.text for _, line in lines.since("a", 3)] == ["3", "4"]
    assert lines.since("nobody", 0) == []
