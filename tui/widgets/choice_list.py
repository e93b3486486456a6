"""A list of choices that stands any size of terminal."""

from typing import ClassVar

from textual.widgets import OptionList


class ChoiceList(OptionList):
    """Textual's list lays nothing out without room, and then fails on a page key; without width it cannot wrap."""

    DEFAULT_CSS: ClassVar[str] = "ChoiceList { min-width: 10; }"

    def action_page_up(self) -> None:
        if self.scrollable_content_region:
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        if self.scrollable_content_region:
            super().action_page_down()  # type: ignore[no-untyped-call]
