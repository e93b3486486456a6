"""When each step was at work, as bars over time. Long pauses are drawn short, and say how long they were."""

from datetime import datetime, timedelta

import msgspec

from atlasdb_recovery.journal.report.story import STATUS_WORDS, Attempt, StepStory, Story
from atlasdb_recovery.journal.report.words import clock, duration, moment

TONES = {"verified": "good", "failed": "bad", "interrupted": "open", "intended": "open", "performed": "open"}
TEXT_BARS = {"verified": "█", "failed": "▓"}
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
CHART, GAP, ROW, TOP = 560.0, 46.0, 30, 34
TEXT_CHART, TEXT_GAP = 48.0, 3.0


class Segment(msgspec.Struct, frozen=True):
    """A stretch of time, and where it lies on the axis. In a pause nothing was at work."""

    since: datetime
    until: datetime
    start: float
    end: float
    is_pause: bool


class Bar(msgspec.Struct, frozen=True):
    x: float
    width: float
    tone: str
    title: str


class Row(msgspec.Struct, frozen=True):
    y: int
    name: str
    words: str
    bars: tuple[Bar, ...]


class Tick(msgspec.Struct, frozen=True):
    x: float
    label: str


class Timeline(msgspec.Struct, frozen=True):
    """Positions in pixels: `x` from the chart's left edge, `y` from the picture's top."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    pauses: tuple[Bar, ...]
    width: float
    height: int


class Axis:
    """Time on a line of a given length."""

    def __init__(self, story: Story, length: float, gap: float) -> None:
        self.segments = _segments(story, length, gap)

    def at(self, moment: datetime) -> float:
        for segment in self.segments:
            if moment <= segment.until:
                span = (segment.until - segment.since).total_seconds()
                share = max(0.0, (moment - segment.since).total_seconds()) / span if span else 0.0
                return segment.start + share * (segment.end - segment.start)
        return self.segments[-1].end if self.segments else 0.0


def timeline(story: Story) -> Timeline:
    axis = Axis(story, CHART, GAP)
    steps = list(story.steps.values())
    return Timeline(
        rows=tuple(_row(axis, step, TOP + ROW * number) for number, step in enumerate(steps)),
        ticks=tuple(_ticks(axis)),
        pauses=tuple(
            Bar(s.start, s.end - s.start, "pause", f"stood still for {duration(_seconds(s))}")
            for s in axis.segments
            if s.is_pause
        ),
        width=CHART,
        height=TOP + ROW * len(steps) + 8,
    )


def text_timeline(story: Story) -> list[str]:
    """The same as lines of text: █ proven, ▓ failed, ░ interrupted or open, ┊ stood still."""
    axis = Axis(story, TEXT_CHART, TEXT_GAP)
    longest = max((len(name) for name in story.steps), default=0)
    lines = [f"{step.name:<{longest}}  {_text_bar(axis, step)}  {_text_note(step)}" for step in story.steps.values()]
    pauses = [duration(_seconds(segment)) for segment in axis.segments if segment.is_pause]
    legend = "█ proven  ▓ failed  ░ interrupted or open" + (f"  ┊ stood still: {', '.join(pauses)}" if pauses else "")
    return [*lines, "", legend]


def _segments(story: Story, length: float, gap: float) -> list[Segment]:
    if story.began is None or story.ended is None:
        return []
    pauses = [(p.since, p.until) for p in story.pauses if p.until is not None and p.until > p.since]
    still = sum(((until - since).total_seconds() for since, until in pauses), 0.0)
    active = max((story.ended - story.began).total_seconds() - still, 1.0)
    cuts = [(since, until) for since, until in pauses if (until - since).total_seconds() > active / 8]
    scale = (length - gap * len(cuts)) / max(
        (story.ended - story.began - sum((u - s for s, u in cuts), timedelta())).total_seconds(), 0.001
    )
    segments: list[Segment] = []
    since, x = story.began, 0.0
    for pause_since, pause_until in [*cuts, (story.ended, story.ended)]:
        end = x + max(0.0, (pause_since - since).total_seconds()) * scale
        segments.append(Segment(since, pause_since, x, end, False))
        if pause_until > pause_since:
            segments.append(Segment(pause_since, pause_until, end, end + gap, True))
            end += gap
        since, x = pause_until, end
    return segments


def _row(axis: Axis, step: StepStory, y: int) -> Row:
    bars = tuple(_bar(axis, attempt, number) for number, attempt in enumerate(step.attempts, 1))
    words = f"{step.words} · {duration(step.seconds)}" if bars else step.words
    return Row(y, step.name, words, bars)


def _bar(axis: Axis, attempt: Attempt, number: int) -> Bar:
    x = axis.at(attempt.began)
    took = duration((attempt.ended - attempt.began).total_seconds())
    title = f"attempt {number}: {_outcome(attempt)}, from {moment(attempt.began)}, {took}"
    return Bar(x, max(3.0, axis.at(attempt.ended) - x), TONES.get(attempt.outcome, "open"), title)


def _outcome(attempt: Attempt) -> str:
    return STATUS_WORDS.get(attempt.outcome, attempt.outcome)


def _ticks(axis: Axis) -> list[Tick]:
    active = [segment for segment in axis.segments if not segment.is_pause]
    seconds = sum(map(_seconds, active))
    every = next((tick for tick in TICKS if seconds / tick <= 6), TICKS[-1])
    ticks: list[Tick] = []
    for segment in active:
        at = segment.since
        while at <= segment.until:
            x = axis.at(at) if at > segment.since else segment.start
            if not ticks or x - ticks[-1].x > 62:
                ticks.append(Tick(x, clock(at)))
            at = _next(at, every)
    return ticks


def _next(at: datetime, every: int) -> datetime:
    seconds = int(at.timestamp()) // every * every + every
    return datetime.fromtimestamp(seconds, at.tzinfo)


def _text_bar(axis: Axis, step: StepStory) -> str:
    cells = [" "] * int(TEXT_CHART)
    for segment in axis.segments:
        if segment.is_pause:
            cells[min(int(segment.start) + 1, len(cells) - 1)] = "┊"
    for attempt in step.attempts:
        start = min(int(axis.at(attempt.began)), len(cells) - 1)
        end = max(start + 1, round(axis.at(attempt.ended)))
        for cell in range(start, min(end, len(cells))):
            cells[cell] = TEXT_BARS.get(attempt.outcome, "░")
    return "".join(cells)


def _text_note(step: StepStory) -> str:
    return f"{step.words}, {duration(step.seconds)}" if step.attempts else step.words


def _seconds(segment: Segment) -> float:
    return (segment.until - segment.since).total_seconds()
