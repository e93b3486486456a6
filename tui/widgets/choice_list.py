"""A list of choices that stands any size of terminal."""

from textual.widgets import OptionList


class ChoiceList(OptionList):
    """Textual's list lays nothing out without room, and then fails on a page key."""

    def action_page_up(self) -> None:
        if self.scrollable_content_region:
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        if self.scrollable_content_region:
            super().action_page_down()  # type: ignore[no-untyped-call]
