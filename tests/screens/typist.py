"""Keys with a time of their own: what counts is when they were read, not how fast a test runs."""

import asyncio
from typing import Any

from textual import events
from textual.app import App
from textual.keys import _character_to_key
from textual.pilot import Pilot

BUBBLES = 3
BY_HAND = 0.05
"""Seconds between two keys of a fast typist, or of a script that types."""


class Typist:
    """Sits before an application. `now` is on the clock that Textual's events have."""

    def __init__(self, app: App[Any], pilot: Pilot[Any]) -> None:
        self._app = app
        self._pilot = pilot
        self.now = events.Event().time

    def wait(self, seconds: float) -> "Typist":
        """By the clock of the keys alone."""
        self.now = max(self.now, events.Event().time) + seconds
        return self

    async def type(self, text: str, *, apart: float = BY_HAND) -> None:
        """The first key comes that long after the one before it, too."""
        for character in text:
            self._press(events.Key(_character_to_key(character), character), apart)
        await self._taken()

    async def press(self, key: str, *, apart: float = BY_HAND, times: int = 1) -> None:
        for _ in range(times):
            self._press(events.Key(key, key if len(key) == 1 else None), apart)
        await self._taken()

    async def paste(self, text: str) -> None:
        self._app.post_message(events.Paste(text))
        await self._taken()

    async def _taken(self) -> None:
        """Until the application, what has the focus, and what a key bubbles up to have dealt with every key."""
        taken = asyncio.Event()
        self._app.call_later(taken.set)
        await taken.wait()
        for _ in range(BUBBLES):
            await self._pilot.pause()

    def _press(self, event: events.Key, apart: float) -> None:
        self.now += apart
        event.time = self.now
        self._app.post_message(event)
