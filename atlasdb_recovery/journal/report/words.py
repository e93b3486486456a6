"""How the report writes times, durations, values and, in Markdown, foreign text."""

import re
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from atlasdb_recovery.foreign import plain

MOST_LINES = 200


class Verbatim(str):
    """Markdown that was made safe already."""

    __slots__ = ()


def moment(at: datetime | None) -> str:
    return "unknown" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S}"


def duration(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min 12 s`, `2 h 05 min`, `3 d 04 h`."""
    if seconds is None:
        return "unknown"
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes} min {rest:02d} s"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h" if days else f"{hours} h {minutes:02d} min"


def value(anything: Any) -> str:
    """An answer or fact on one line: text as it is, yes and no, everything else as JSON."""
    if isinstance(anything, str):
        return anything
    if isinstance(anything, bool):
        return "yes" if anything else "no"
    return msgspec.json.encode(anything, order="deterministic").decode()


def count(anything: Any) -> str:
    """A number with its thousands apart; anything else as `value` does."""
    return f"{anything:,}" if isinstance(anything, int) else value(anything)


def sentence(text: str) -> str:
    """The text with a full stop last, unless it has an end or is empty."""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def shell(words: Iterable[str]) -> str:
    """A command as it could be pasted into a shell."""
    return shlex.join(words)


def shortened(lines: Iterable[str]) -> list[str]:
    """At most 200 lines, and how many there are more."""
    every = list(lines)
    if len(every) <= MOST_LINES:
        return every
    return [*every[:MOST_LINES], f"… and {len(every) - MOST_LINES:,} more, in the journal"]


def markdown_text(text: str) -> str:
    """One line of text that Markdown shows as it is, wherever it stands."""
    shown = re.sub(r"([\\`*_{}\[\]<>#|~&!$@^])", r"\\\1", plain(text).strip())
    shown = shown.replace("://", "\\://").replace("www.", "www\\.")
    shown = re.sub(r"^(\s*)([-+=])", r"\1\\\2", shown)
    return re.sub(r"^(\s*\d+)([.)])(?=\s|$)", r"\1\\\2", shown)


def markdown_block(lines: Iterable[str]) -> Verbatim:
    """Lines in a fenced code block that none of them can end."""
    shown = [plain(line) for line in shortened(lines)]
    runs = re.findall(r"`+", "\n".join(shown))
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return Verbatim("\n".join((f"{fence}text", *shown, fence)))
