"""How dialogs look."""

from syrupy.assertion import SnapshotAssertion
from textual.app import App

from screens.dialogs.choice import ChoiceDialog
from tests.screens.conftest import settled_picture


class OneDialog(App[None]):
    """Shows a question, as the wizard's own style sheet draws it."""

    CSS_PATH = "../../tui/wizard.tcss"


async def test_a_question_has_its_safest_answer_under_the_cursor(picture: SnapshotAssertion) -> None:
    app = OneDialog()
    async with app.run_test(size=(80, 24)) as pilot:
        answers = (("stay", "Stay"), ("park", "Park the session"))
        app.push_screen(ChoiceDialog("Leave?", "A session is under way. [bold]Parking[/bold] stops it.", answers))
        assert await settled_picture(pilot) == picture
