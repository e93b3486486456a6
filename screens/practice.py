"""Which scenario to practise, how fast its time runs, and whether on real nodes."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from tui.keymap import bindings
from tui.widgets.choice_list import ChoiceList
from tui.workplace import Lesson

SPEEDS = ("10x", "real", "instant")
NODES = ("simulated", "real 5.0", "real 2.2-palantir")


class PracticeScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("practise"), *bindings("everywhere")]
    HELP = (
        "Every scenario is a whole restore, or backup, in which something goes wrong, or nothing. You are told what "
        "you would be told when paged. w opens the practice world: what one would do in another window. A debriefing "
        "comes last. "
        "s changes how fast simulated time runs, x takes real Cassandra nodes (Java 17; some minutes)."
    )
    CSS = """
    PracticeScreen OptionList { height: 1fr; border: none; }
    PracticeScreen Static { padding: 0 1; height: auto; }
    """

    class Chosen(Message):
        def __init__(self, name: str, speed: str, nodes: str) -> None:
            super().__init__()
            self.name = name
            self.speed = speed
            self.nodes = nodes

    choices = getters.query_one(ChoiceList)

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        super().__init__()
        self._lessons = lessons
        self._speed = SPEEDS[0]
        self._machines = NODES[0]

    def compose(self) -> ComposeResult:
        yield Static(Text("Practise: choose a scenario", style="bold"), markup=False)
        yield ChoiceList(markup=False)
        yield Static(id="how", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.choices.focus()
        self._redraw()

    def _redraw(self) -> None:
        at = self.choices.highlighted or 0
        is_real = self._machines != NODES[0]
        self.choices.set_options(
            Option(_row(number, one, is_real), id=one.name, disabled=is_real and bool(one.not_real))
            for number, one in enumerate(self._lessons, 1)
        )
        self.choices.highlighted = at
        time = "time is its own" if is_real else f"time runs {self._speed}"
        self.query_one("#how", Static).update(Text(f"nodes: {self._machines}; {time}", style="dim"))

    def action_speed(self) -> None:
        self._speed = SPEEDS[(SPEEDS.index(self._speed) + 1) % len(SPEEDS)]
        self._redraw()

    def action_nodes(self) -> None:
        self._machines = NODES[(NODES.index(self._machines) + 1) % len(NODES)]
        self._redraw()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.post_message(self.Chosen(event.option_id or "", self._speed, self._machines))

    def action_close(self) -> None:
        self.app.pop_screen()


def _row(number: int, lesson: Lesson, is_real: bool) -> Text:
    text = Text.assemble((f"{number:2}  {lesson.title}", "bold"), f"\n    {lesson.name}")
    if is_real and lesson.not_real:
        text.append(f"   not on real nodes: {lesson.not_real}", style="dim")
    return text
