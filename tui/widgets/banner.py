"""Always on top: practice or the real thing, which cluster and keyspace, for how long, and whose lock."""

from rich.text import Text

from tui.look import Look
from tui.session_view import READ_ONLY, SessionView
from tui.widgets.steady_text import SteadyText

SMALLEST = (80, 24)
SIDES = {"LIVE": ("##", "##"), "PRACTICE": ("~~", "~~"), "READ-ONLY": ("--", "--")}


class Banner(SteadyText):
    """Two lines. PRACTICE, LIVE and READ-ONLY differ in word, sides and colour."""

    DEFAULT_CSS = """
    Banner { dock: top; height: 2; background: $panel; padding: 0 1; }
    Banner.-live { background: $error-muted; }
    Banner.-practice { background: $primary-muted; }
    """

    def __init__(self, view: SessionView, look: Look, *, read_only: bool) -> None:
        super().__init__()
        self._view = view
        self._look = look
        self._read_only = read_only

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Called on every change, and once a second for the clock."""
        width = max(self.size.width, 20)
        for mode in SIDES:
            self.set_class(self._view.mode == mode, f"-{mode.lower()}")
        self.show(Text("\n").join([self._first(width), self._second(width)]))

    def _first(self, width: int) -> Text:
        view = self._view
        mode = view.mode
        left, right = SIDES.get(mode, ("--", "--"))
        words = Text.assemble((f" {left} {mode} {right} ", "bold reverse"))
        if self._read_only and mode != READ_ONLY:
            words.append(" READ-ONLY ", style="bold")
        words.append(f"  {view.keyspace or 'no keyspace'}")
        words.append(f" on {view.cluster or 'a cluster not reached yet'}")
        names = list(view.steps)
        at = f"step {names.index(view.current) + 1} of {len(names)}  {elapsed(view.seconds)}"
        return spread(words, Text(at), width)

    def _second(self, width: int) -> Text:
        view = self._view
        words = Text(f"{view.state.procedure or 'session'} {view.state.session}", style="dim")
        watched = view.watched
        right = Text()
        size = self.app.size
        if size.width < SMALLEST[0] or size.height < SMALLEST[1]:
            small = f"{size.width}x{size.height} is too small: {SMALLEST[0]}x{SMALLEST[1]}"
            return spread(Text(), Text(small, style="bold reverse"), width)
        if watched is not None and watched.check.status in {"blocked", "unknown"}:
            said = "SOMEBODY IS CONNECTED" if watched.check.status == "blocked" else "clients cannot be looked at"
            right.append(f"{self._look.glyphs.of(watched.check.status)} {said}", style="bold")
        elif view.lock_holder:
            right.append(f"lock: {view.lock_holder}", style="dim")
        return spread(words, right, width)


def elapsed(seconds: float) -> str:
    """1:02:03."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def spread(left: Text, right: Text, width: int) -> Text:
    """One line of exactly `width` cells: the left text is cut where both do not fit."""
    room = max(width - right.cell_len - 1, 0)
    left = left.copy()
    left.truncate(room, overflow="ellipsis", pad=True)
    return Text.assemble(left, " ", right)
