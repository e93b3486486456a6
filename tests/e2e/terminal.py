"""A real terminal for the wizard: tmux, driven by keys and read by its screen. Nothing here sleeps for a result."""

import os
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

ASKED_EVERY = 0.1
PATIENCE = 120.0
LEFT_BEHIND = " ".join(
    f"#{{{name}}}"
    for name in ("cursor_flag", "alternate_on", "mouse_any_flag", "mouse_sgr_flag", "keypad_flag", "keypad_cursor_flag")
)
"""Of the terminal's modes, what tmux tells. A paste that is not echoed as it is shows brackets that were left on."""
STYLED = re.compile(r"\x1b\[[\d;:]*m")
TYPED_APART = 0.06
"""Seconds between two keys of a phrase: as a person types."""


class Terminal:
    """One tmux server of its own, with one window."""

    def __init__(
        self, command: Sequence[str], *, width: int = 80, height: int = 24, environment: Mapping[str, str]
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="tmux-")
        self._size = (width, height)
        self._command = command
        self._environment = environment
        self.pid = 0
        self.seen: list[str] = []
        """Every screen there was, with the escapes of its colours and styles."""

    def __enter__(self) -> Self:
        width, height = self._size
        words = [f"{name}={value}" for name, value in self._environment.items()]
        line = shlex.join(["env", "--ignore-environment", *words, *self._command])
        # the shell outlives the program, so that what it printed last and its exit code stay readable
        script = f'before=$(stty -g); {line}; echo EXIT-CODE=$?; [ "$before" = "$(stty -g)" ] && echo SAME-MODES'
        script += "; exec sleep 86400"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-s", "w", "-x", str(width), "-y", str(height), script)
        self.pid = int(self._tmux("display-message", "-p", "-t", "w", "#{pane_pid}"))
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*self._server, "kill-server"], check=False, capture_output=True)
        self._directory.cleanup()

    def program(self) -> psutil.Process:
        """The wizard itself, beneath the shell."""
        return next(one for one in psutil.Process(self.pid).children(recursive=True) if "python" in one.name())

    def close(self) -> None:
        """As if the window were closed, or the connection to it lost."""
        self._tmux("kill-session", "-t", "w")

    def screen(self) -> str:
        """Its text, line by line."""
        painted = self._tmux("capture-pane", "-e", "-p", "-t", "w")
        if painted not in self.seen[-1:]:
            self.seen.append(painted)
        return STYLED.sub("", painted)

    def assert_sane(self) -> None:
        """After the program: the cursor is visible, nothing that it switched on is left, and the shell is heard."""
        self.wait_for("SAME-MODES")
        assert self._tmux("display-message", "-p", "-t", "w", LEFT_BEHIND).split() == ["1", "0", "0", "0", "0", "0"]
        self.paste("as typed in the shell")
        self.wait_until(lambda screen: "as typed in the shell" in map(str.strip, screen.splitlines()), "an echo")

    def press(self, key: str, *, after: float = 0.0) -> None:
        """`after`: seconds since whatever was pressed before."""
        time.sleep(after)
        self._tmux("send-keys", "-t", "w", key)

    def type(self, text: str, *, apart: float = TYPED_APART) -> None:
        """Key by key, `apart` seconds from one to the next: no faster than a person does."""
        sent = time.monotonic()
        for character in text:
            time.sleep(max(0.0, sent + apart - time.monotonic()))
            sent = time.monotonic()
            self._tmux("send-keys", "-t", "w", "-l", character)

    def burst(self, text: str) -> None:
        """All of it at once."""
        self._tmux("send-keys", "-t", "w", "-l", text)

    def paste(self, text: str) -> None:
        """As a terminal pastes: in brackets, where the program has asked for them."""
        self._tmux("set-buffer", text)
        self._tmux("paste-buffer", "-p", "-t", "w")

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-t", "w", "-x", str(width), "-y", str(height))

    def wait_for(self, *texts: str, patience: float = PATIENCE) -> str:
        """The screen, as soon as it shows all of these. Line ends and frames between words do not matter."""
        return self.wait_until(lambda screen: all(text in flat(screen) for text in texts), f"{texts}", patience)

    def wait_until(self, holds: Callable[[str], bool], what: str, patience: float = PATIENCE) -> str:
        deadline = time.monotonic() + patience
        while True:
            screen = self.screen()
            if holds(screen):
                return screen
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not appear within {patience:.0f} s. The screen:\n{screen}")
            time.sleep(ASKED_EVERY)

    @property
    def _server(self) -> tuple[str, ...]:
        return ("tmux", "-S", f"{self._directory.name}/socket")

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run([*self._server, *arguments], capture_output=True, text=True, check=True)
        return done.stdout


def has_color(painted: str) -> bool:
    """Whether any of a screen's escapes sets a colour; a terminal's default one is none."""
    codes = {int(code) for escape in STYLED.findall(painted) for code in re.findall(r"\d+", escape)}
    return any(30 <= code <= 38 or 40 <= code <= 48 or 90 <= code <= 107 for code in codes)


def flat(screen: str) -> str:
    """One line of single spaces."""
    return " ".join(screen.split())


def environment(directory: Path, **more: str) -> dict[str, str]:
    """Only what is said here: the tests' own terminal must not colour the result."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    return {
        **kept,
        "TERM": "tmux-256color",
        "LANG": "C.UTF-8",
        "XDG_STATE_HOME": str(directory / "state"),
        "TEXTUAL_ANIMATIONS": "none",
        **more,
    }
