"""Which of a node's token ranges have been shown as done or failed, while its repair runs."""

from collections.abc import Iterable, Mapping

from atlasdb_recovery.cassandra.repair_ranges import Range, canonical, range_text


class RangesShown:
    """Takes ranges as nodetool or the server spells them, gives them as they are expected, each time only the news."""

    def __init__(self, expected: Iterable[Range], proven: Iterable[Range]) -> None:
        self._spelled: Mapping[Range, Range] = {canonical(span): span for span in expected}
        self._done = set(map(canonical, proven))
        self._failed = set[Range]()

    @property
    def done(self) -> int:
        """How many are done, earlier attempts included."""
        return len(self._done)

    @property
    def total(self) -> int:
        return len(self._spelled)

    def take(self, done: Iterable[Range] = (), failed: Iterable[Range] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those that were not yet shown so, "(start,end]"; a range that was done and fails afterwards is failed."""
        failures = self._known(failed) - self._failed
        news = self._known(done) - self._done - failures
        self._failed = (self._failed | failures) - news
        self._done = (self._done - failures) | news
        return self._texts(news), self._texts(failures)

    def _known(self, found: Iterable[Range]) -> set[Range]:
        return {span for span in map(canonical, found) if span in self._spelled}

    def _texts(self, found: Iterable[Range]) -> tuple[str, ...]:
        return tuple(sorted(range_text(self._spelled[span]) for span in found))
