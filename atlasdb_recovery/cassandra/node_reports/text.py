"""Reading tables and headings of nodetool's output, without guessing."""

import re

from atlasdb_recovery.foreign import plain

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnreadableReport(Exception):
    """A report was not understood: nothing may be concluded from it, least of all that there is nothing to see."""

    def __init__(self, report: str, problem: str) -> None:
        super().__init__(
            f"nodetool {report} answered something that was not understood: {problem}. "
            "What it says about the node is unknown. Run it by hand and look."
        )


def lines_from(report: str, text: str, opening: str) -> list[str]:
    """The lines from the first one that matches `opening` on; what a wrapper or the JVM printed before is left out."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if re.match(opening, line):
            return lines[at:]
    raise UnreadableReport(report, f"no line like `{opening}` in {len(lines)} lines{_first(lines)}")


def unreadable_line(report: str, line: str) -> UnreadableReport:
    return UnreadableReport(report, f"the line `{plain(line, 200)}`")


def number(report: str, word: str, line: str) -> int:
    if not re.fullmatch(r"-?\d+", word):
        raise unreadable_line(report, line)
    return int(word)


def columns(header: str, names: tuple[str, ...]) -> dict[str, slice]:
    """Where each named column of a left-aligned table lies, by its header. A missing name is left out."""
    starts = sorted((found, name) for name in names if (found := header.find(name)) >= 0)
    ends = [start for start, _ in starts[1:]] + [None]
    return {name: slice(start, end) for (start, name), end in zip(starts, ends, strict=True)}


def _first(lines: list[str]) -> str:
    shown = next((line for line in lines if line.strip()), "")
    return f", the first being `{plain(shown, 200)}`" if shown else ""
