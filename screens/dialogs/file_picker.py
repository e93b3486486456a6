"""Picks a file or a directory from a tree that begins near what was typed."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DirectoryTree, Static

from tui.keymap import bindings


class FilePickerDialog(ModalScreen[str | None]):
    """Dismissed with the path, or None."""

    HELP = "What you pick stands in the settings' line, where it is checked at once. Nothing is opened or changed here."
    BINDINGS: ClassVar[list[BindingType]] = list(bindings("picker", "dialogs"))

    def __init__(self, typed: str, *, wants_directory: bool) -> None:
        super().__init__()
        self._wants_directory = wants_directory
        self._root = _nearest_directory(typed)

    def compose(self) -> ComposeResult:
        what = "directory" if self._wants_directory else "file"
        with Vertical(classes="dialog dialog-tall"):
            yield Static(f"Pick a {what}", classes="dialog-title", markup=False)
            yield DirectoryTree(self._root)
            yield Static(
                "Space picks, Enter opens, u goes up, F1 helps, Esc goes back", classes="dialog-hint", markup=False
            )

    def action_up(self) -> None:
        tree = self.query_one(DirectoryTree)
        tree.path = Path(tree.path).parent

    def action_pick(self) -> None:
        node = self.query_one(DirectoryTree).cursor_node
        path = None if node is None or node.data is None else node.data.path
        if path is None or _is_directory(path) is not self._wants_directory:
            self.notify(f"That is no {'directory' if self._wants_directory else 'file'}.", markup=False)
            return
        self.dismiss(str(path))

    def on_directory_tree_file_selected(self, event: DirectoryTree.FileSelected) -> None:
        if not self._wants_directory:
            self.dismiss(str(event.path))

    def action_dismiss_unpicked(self) -> None:
        self.dismiss(None)


def _nearest_directory(typed: str) -> Path:
    """Of what was typed, the part that can be looked into; else the working directory."""
    try:
        path = Path(typed).expanduser() if typed else Path.cwd()
        while not _is_directory(path):
            if path == path.parent:
                return Path.cwd()
            path = path.parent
        return path.absolute()
    except RuntimeError:  # ~name, and there is no such user
        return Path.cwd()


def _is_directory(path: Path) -> bool:
    """A name that is too long is none, and neither is one that may not be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False
