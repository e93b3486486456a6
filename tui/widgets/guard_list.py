"""The guards of a step as they come in: those that refuse on top, each with evidence, age and remedy."""

import time
from collections.abc import Mapping

from rich.text import Text
from textual.widgets.option_list import Option

from atlasdb_recovery.procedure.session import REFUSING
from tui.figures import ago
from tui.look import Look
from tui.session_view import SeenGuard
from tui.widgets.choice_list import ChoiceList

ORDER = {"blocked": 0, "unknown": 1, "warned": 2, "checking": 3, "passed": 4, "not-applicable": 5}
WORDS = {
    "blocked": "REFUSES",
    "unknown": "UNKNOWN",
    "warned": "warning",
    "passed": "holds",
    "not-applicable": "n/a",
    "overruled": "overruled",
}


class GuardList(ChoiceList):
    """`chosen` is the guard under the cursor."""

    DEFAULT_CSS = """
    GuardList { height: 1fr; min-height: 5; border: none; background: $surface; padding: 0; }
    GuardList:focus { border: none; }
    GuardList > .option-list--option-highlighted { background: $boost; color: $foreground; text-style: none; }
    GuardList:focus > .option-list--option-highlighted {
        background: $primary-muted; color: $foreground; text-style: none;
    }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(markup=False)
        self._look = look
        self._order: list[str] = []

    @property
    def chosen(self) -> str:
        if self.highlighted is None or not self._order:
            return ""
        return self._order[self.highlighted]

    def redraw(self, guards: Mapping[str, SeenGuard], overruled: Mapping[str, str]) -> None:
        """Rows are written anew in place; only a new order builds the list again.

        The cursor stays on its guard, unless that holds while another refuses: then the first that does is looked at.
        """
        names = sorted(guards, key=lambda name: (ORDER.get(guards[name].check.status, 3), name))
        prompts = {name: self._prompt(guards[name], overruled.get(name, "")) for name in names}
        if names == self._order:
            for name, prompt in prompts.items():
                if prompt != self.get_option(name).prompt:
                    self.replace_option_prompt(name, prompt)
            return
        chosen, self._order = self.chosen, names
        self.set_options(Option(prompt, id=name) for name, prompt in prompts.items())
        if names:
            refusing = [name for name in names if guards[name].check.status in REFUSING and name not in overruled]
            stays = chosen in (refusing or names)
            self.highlighted = names.index(chosen) if stays else 0

    def _prompt(self, seen: SeenGuard, overruled: str) -> Text:
        check = seen.check
        status = "overruled" if overruled and check.status in {"blocked", "unknown"} else check.status
        bold = "bold" if status in {"blocked", "unknown"} else ""
        age = ago(time.monotonic() - seen.at)
        sign = self._look.glyphs.of(status)
        text = Text.assemble((f"{sign} {WORDS.get(status, status):9}{check.guard}", bold), (f"  {age}", "dim"), "\n")
        text.append(f"  {check.evidence}", style="" if bold else "dim")
        if overruled and status == "overruled":
            text.append(f"\n  {self._look.glyphs.arrow} overruled: {overruled}")
        elif check.remedy and status in {"blocked", "unknown", "warned"}:
            text.append(f"\n  {self._look.glyphs.arrow} {check.remedy}", style="bold")
        return text
