"""A key that is held down: only its first press is meant."""

REPEATS_WITHIN = 0.1
"""Seconds between two presses: terminals repeat a held key ten to forty times a second, hands do not."""


class HeldKey:
    """One key's presses, in order; `now` is in seconds on any clock that only goes forward."""

    def __init__(self) -> None:
        self._before = float("-inf")

    def repeats(self, now: float) -> bool:
        """Whether this press comes from holding the key down, and not from a hand."""
        is_held = now - self._before < REPEATS_WITHIN
        self._before = now
        return is_held
