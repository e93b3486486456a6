"""The terminal driver, made safe against a terminal that goes away in the middle of a session.

Textual's own stops for ever in a write once the terminal is closed, and draws again on a SIGCONT that comes with its
end: the process would neither park its session nor leave. Private names of Textual's driver are used here only.
"""

from queue import Full

from textual.drivers.linux_driver import LinuxDriver

STALLED = 60.0
"""Seconds for which a terminal may take nothing before it is given up: a slow line is slow, not gone."""


class Terminal(LinuxDriver):
    """`is_lost`: nobody can see what is drawn any more; drawing is dropped, the session goes on until it is parked."""

    is_lost = False

    def write(self, data: str) -> None:
        thread = self._writer_thread
        if self.is_lost or thread is None:
            return
        if not thread.is_alive():
            self.is_lost = True
            return
        try:
            thread._queue.put(data, timeout=STALLED)
        except Full:
            self.is_lost = True

    def close(self) -> None:
        thread = self._writer_thread
        if thread is None or self.is_lost or not thread.is_alive():
            return
        try:
            thread._queue.put(None, timeout=1.0)
        except Full:
            return
        thread.join(timeout=1.0)

    def _sigcont_application(self, *_: object) -> None:
        """Only after a suspension of our own; the SIGCONT that follows a hang-up means nothing."""
        if self._must_signal_resume:
            super()._sigcont_application()
