"""Remove the transactions committed after B: shown first, confirmed by hand."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from screens.dialogs.words import WordsDialog
from tui.crowded_screen import CrowdedScreen
from tui.keymap import bindings
from tui.removal_words import everything, found_text, odd_text, sample_text, statement_text, straddler_text
from tui.widgets.histogram import Histogram
from tui.widgets.removal_stages import RemovalStages


class CleanTransactionsScreen(CrowdedScreen):
    """Small: what was found, the picture, and the guards in a line. Wide: all of it side by side."""

    HELP = """Everything committed after B is exported, removed, read again and looked for again.
    Left of B in the picture is what stays, right of it what goes; each bar doubles the distance from B, and the
    heights grow with the logarithm of the count. c shows every odd cell in hex, the CQL and samples; g every guard.
    Nothing is removed before you have typed the phrase of exactly this plan."""
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("clean"))
    DEFAULT_CSS = """
    CleanTransactionsScreen #more { display: none; height: auto; max-height: 55%; margin: 1 0 0 0; }
    CleanTransactionsScreen.-planned.-wide.-tall #more { display: block; }
    CleanTransactionsScreen.-planned.-wide.-tall.-failed #more { display: none; }
    CleanTransactionsScreen #more Static { height: auto; width: 1fr; margin: 0 0 1 0; }
    CleanTransactionsScreen #more Horizontal { height: auto; }
    CleanTransactionsScreen #odd { max-height: 8; overflow-y: auto; }
    CleanTransactionsScreen #found { height: auto; }
    CleanTransactionsScreen.-wide #found { width: 1fr; }
    CleanTransactionsScreen.-wide Histogram { width: 1fr; }
    CleanTransactionsScreen #findings { layout: vertical; }
    CleanTransactionsScreen.-wide #findings { layout: horizontal; }
    CleanTransactionsScreen.-short Histogram { height: 1fr; max-height: 8; }
    CleanTransactionsScreen.-short.-begun Histogram { display: none; }
    """

    _drawn: dict[str, Any] | None = None
    """The facts that the findings show now."""

    def compose_findings(self) -> Iterable[Widget]:
        yield RemovalStages(self.look)
        with Horizontal(id="findings", classes="findings"):
            yield Static(id="found", markup=False)
            yield Histogram(self.look)
        with VerticalScroll(id="more"):
            yield Static(id="odd", markup=False)
            yield Static(id="statements", markup=False)
            with Horizontal():
                yield Static(id="samples", markup=False)
                yield Static(id="straddlers", markup=False)

    def redraw_findings(self) -> None:
        self.query_one(RemovalStages).redraw(self.step, self.view.state, is_working=self.is_working)
        if not self.facts or self.facts is self._drawn:
            return
        self._drawn = facts = self.facts
        self.query_one("#found", Static).update(found_text(facts, self.look))
        self.query_one(Histogram).redraw(facts.get("histogram", {}))
        self.query_one("#statements", Static).update(statement_text(facts))
        self.query_one("#samples", Static).update(sample_text(facts))
        self.query_one("#straddlers", Static).update(straddler_text(facts))
        self.query_one("#odd", Static).update(odd_text(facts))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "everything":
            return True if self.step.plan is not None else None
        return super().check_action(action, parameters)

    def action_everything(self) -> None:
        self.app.push_screen(WordsDialog("All that was found, and what will be run", everything(self.facts)))
