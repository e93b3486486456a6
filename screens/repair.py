"""Repair the transactions tables on every node, live: one row a node, the ring, and every node's raw lines."""

import time
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from atlasdb_recovery.cassandra.unattended_repair import GOES_ON, NOTHING_YET
from atlasdb_recovery.events import StepFailed
from screens.dialogs.choice import ChoiceDialog
from screens.dialogs.raw_lines import RawLinesDialog
from screens.dialogs.words import WordsDialog
from tui.bridge import Refused, ToBegin
from tui.failure_words import whole_failure
from tui.keymap import bindings
from tui.node_order import ORDERS, ordered
from tui.repair_board import NodeRow, RepairBoard
from tui.repair_words import all_of, detail, summary
from tui.step_screen import StepScreen
from tui.widgets.node_table import NodeTable
from tui.widgets.steady_text import SteadyText
from tui.widgets.token_ring import TokenRing

ON_BOARD = frozenset({"raw_lines", "stop_node", "stop_all", "sort", "filter", "show_all", "ring"})
OF_GUARDS = frozenset({"look_again", "overrule"})
LEAVE_IT = ("leave", "Leave it running")


class RepairBody(Vertical):
    """The board's part of the screen."""

    DEFAULT_CSS = """
    RepairBody { height: 1fr; display: none; }
    RepairBody #summary { height: 3; display: none; }
    RepairBody #filter { height: 1; border: none; padding: 0; display: none; }
    RepairBody #detail { height: 3; background: $panel; }
    """

    def compose(self) -> ComposeResult:
        yield SteadyText(id="summary")
        yield TokenRing()
        yield Input(placeholder="address or state; Enter keeps it, Esc shows all nodes", compact=True, id="filter")
        assert isinstance(self.screen, RepairScreen)
        yield NodeTable(self.screen.look)
        yield SteadyText(id="detail")


class RepairScreen(StepScreen):
    HELP = """Replicas were copied at different moments. Unless they agree first, a removed commit could come back.
    Every node repairs its own ranges. A node is repaired when each of its ranges is accounted for, not when nodetool
    says so. Failures stand on top; Enter shows a node's own lines. Next, after a failure, repairs only what is not
    proven."""
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("repair"))
    CSS = """
    RepairScreen.-board RepairBody { display: block; }
    RepairScreen.-board #why, RepairScreen.-board PlanPreview, RepairScreen.-board GuardList { display: none; }
    RepairScreen.-board ProgressPanel { display: none; }
    RepairScreen.-board.-narrow StepRail { display: none; }
    RepairScreen.-board.-short #outcome { max-height: 4; }
    RepairScreen.-tall #detail { height: 5; }
    """

    table = getters.query_one(NodeTable)
    ring = getters.query_one(TokenRing)
    order = ORDERS[0]
    holding = ""
    shows_ring = True
    wants_other = False
    """The operator wants to see what does not fit to where the step is; until the step is elsewhere."""
    was_at_work = False

    @property
    def board(self) -> RepairBoard:
        return self.view.repair

    @property
    def is_on_board(self) -> bool:
        """The board is shown, rather than the plan and the guards."""
        return self.is_at_work is not self.wants_other

    @property
    def is_at_work(self) -> bool:
        """The repair has begun, and is not about to be begun again."""
        return self.step.began is not None and not isinstance(self.bridge.waiting, Refused | ToBegin)

    @property
    def shows_progress(self) -> bool:
        return not self.is_on_board

    def evidence_shown(self, failure: StepFailed) -> Sequence[str]:
        """Each node's own stands in its row."""
        in_rows = tuple(f"{node}: " for node in self.board.rows) if self.is_on_board else ()
        return [line for line in failure.evidence if not line.startswith(in_rows)]

    def compose_body(self) -> Iterable[Widget]:
        yield RepairBody()

    def redraw_body(self) -> None:
        if self.is_at_work is not self.was_at_work:
            self.was_at_work, self.wants_other = self.is_at_work, False
        shown = self.is_on_board
        if shown is not self.has_class("-board"):
            self.set_class(shown, "-board")
            (self.table if shown else self.guards).focus()
        if shown:
            self.redraw_board()

    def redraw_board(self) -> None:
        now, board = time.monotonic(), self.board
        words = summary(board, now, self.look.glyphs, failure=self.step.failure)
        if self.shows_ring:
            self.ring.show(board.ring, words)
        else:
            self.query_one("#summary", SteadyText).show(Text("\n").join(words[:3]))
        rows = ordered(board.rows.values(), self.order, now, holding=self.holding)
        addresses = max((len(node) for node in board.rows), default=0)
        self.table.show(rows, now, addresses=addresses, told_bytes=board.told_bytes)
        self._redraw_detail(now)

    def _redraw_detail(self, now: float) -> None:
        row = self.table.chosen
        shown = Text("no node here")
        if row is not None:
            position = f"{self.table.cursor + 1} of {len(self.board.rows)}, {self.order}"
            shown = Text("\n").join(detail(row, position, now))
        self.query_one("#detail", SteadyText).show(shown)

    def on_mount(self) -> None:
        self.watch(self.table, "cursor", lambda: self._redraw_detail(time.monotonic()), init=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On the board the guards' keys make room for its own."""
        if action in OF_GUARDS and self.is_on_board:
            return False
        if action in ON_BOARD:
            if super().check_action(action, parameters) is False:
                return False
            return self._can(action) or None
        return super().check_action(action, parameters)

    def _can(self, action: str) -> bool:
        if not self.is_on_board:
            return False
        stoppable = self.bridge.controls.stoppable
        row = self.table.chosen
        match action:
            case "stop_node":
                return row is not None and row.node in stoppable
            case "stop_all":
                return bool(stoppable)
            case "raw_lines":
                return row is not None
            case _:
                return True

    def action_board(self) -> None:
        self.wants_other = not self.wants_other
        self.redraw_body()

    def action_sort(self) -> None:
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.redraw_board()

    def action_ring(self) -> None:
        self.shows_ring = not self.shows_ring
        self.ring.display = self.shows_ring
        self.query_one("#summary").display = not self.shows_ring
        self.redraw_board()

    # filter

    def action_filter(self) -> None:
        entry = self.query_one("#filter", Input)
        entry.display = True
        entry.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.holding = event.value.strip()
        self.redraw_board()

    def on_input_submitted(self) -> None:
        self._close_filter()

    def action_show_all(self) -> None:
        self.query_one("#filter", Input).value = ""
        self._close_filter()

    def _close_filter(self) -> None:
        entry = self.query_one("#filter", Input)
        entry.display = bool(entry.value)
        self.table.focus()

    # one node

    def action_raw_lines(self) -> None:
        if (row := self.table.chosen) is not None:
            self.app.push_screen(RawLinesDialog(self.view, row.node, self.look))

    def action_details(self) -> None:
        if not self.is_on_board:
            super().action_details()
        elif (row := self.table.chosen) is not None:
            command = self.view.commands.get(row.node, ())
            text = all_of(row, time.monotonic(), command)
            if self.step.failure is not None:
                text.append(f"\n\nThe repair as a whole\n{whole_failure(self.step.failure)}")
            self.app.push_screen(WordsDialog(row.node, text))

    def action_stop_node(self) -> None:
        if (row := self.table.chosen) is not None:
            self._ask_to_stop([row])

    def action_stop_all(self) -> None:
        self._ask_to_stop([self.board.row(node) for node in self.bridge.controls.stoppable])

    def _ask_to_stop(self, rows: list[NodeRow]) -> None:
        """The question says what goes on in Cassandra all the same; leaving it alone is the first answer."""

        def chosen(answer: str | None) -> None:
            if answer != "stop":
                return
            for row in rows:
                if self.bridge.controls.stop(row.node):
                    row.is_to_stop = True
            self.redraw_body()

        whose = rows[0].node if len(rows) == 1 else f"all {len(rows)} nodes that are not done"
        text = (
            f"nodetool ends at once; a node that has not begun is left out. {GOES_ON} {NOTHING_YET} "
            "What is not proven then is repaired again with Next."
        )
        stop = ("stop", f"Stop nodetool of {whose}")
        self.app.push_screen(ChoiceDialog(f"Stop the repair of {whose}?", text, (LEAVE_IT, stop)), chosen)
