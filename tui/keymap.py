"""The one keymap: bindings, footer, help screen and the documentation's table of keys are made from it."""

from enum import StrEnum
from typing import NamedTuple

from textual.binding import Binding


class Danger(StrEnum):
    """What a key may lead to. Read-only mode leaves out everything that is not READ."""

    READ = "looks"
    CHANGE = "changes"
    DESTROY = "destroys"


class Key(NamedTuple):
    """`where` is the group of screens that have it; `label` stands in the footer, `help` on the help screen.

    `in_footer` have as many as fit side by side in 80 columns, beside the palette's own key. `before_others` are taken
    before the widget that has the focus sees them.
    """

    where: str
    keys: str
    action: str
    label: str
    help: str
    danger: Danger = Danger.READ
    in_footer: bool = True
    before_others: bool = False


KEYMAP: tuple[Key, ...] = (
    Key("everywhere", "question_mark,f1", "help", "Help", "What this screen is for, and every key it has"),
    Key("everywhere", "ctrl+q", "quit", "Quit", "Leave; while a session is under way it asks first"),
    Key("everywhere", "ctrl+l", "repaint", "Repaint", "Draw the screen anew", in_footer=False),
    Key("everywhere", "f12", "picture", "Picture", "Save this screen as an SVG picture", in_footer=False),
    Key("step", "n,f8", "advance", "Next", "Go on: begin, answer the question, or try again", Danger.CHANGE),
    Key("step", "r,f5", "look_again", "Re-check", "Evaluate this step's guards and make its plan again"),
    Key("step", "b,f7", "back", "Back", "Look at the step before; from the first one, back to the welcome screen"),
    Key("step", "f", "follow", "Follow", "Back to the step that the session is at", in_footer=False),
    Key("step", "o", "overrule", "Overrule", "Vouch for the refusing guard under the cursor, in words", Danger.CHANGE),
    Key(
        "step", "d", "details", "Details", "All of a failure, or of the guard or node under the cursor", in_footer=False
    ),
    Key("step", "l", "log", "Log", "Show or hide the session's log", in_footer=False),
    Key("step", "y", "copy", "Copy", "Copy the command or CQL that this step runs", in_footer=False),
    Key("step", "p", "park", "Park", "Stop here; the session can be resumed", Danger.CHANGE, in_footer=False),
    Key("step", "w", "world", "World", "Practice only: what one would do in another window"),
    Key("clean", "c", "everything", "Cells", "Every odd cell in hex, the CQL and samples, to scroll through"),
    Key("crowded", "g", "guards", "Guards", "On a small screen: every guard instead of the rest", in_footer=False),
    Key("repair", "enter", "raw_lines", "Lines", "The raw lines of the node under the cursor", in_footer=False),
    Key("repair", "x", "stop_node", "Stop", "Stop nodetool for the node under the cursor", Danger.CHANGE),
    Key("repair", "X", "stop_all", "Stop all", "Stop nodetool on every node", Danger.CHANGE, in_footer=False),
    Key("repair", "s", "sort", "Sort", "Sort by failed first, address, or progress", in_footer=False),
    Key("repair", "slash", "filter", "Filter", "Show the nodes whose address or state holds a text", in_footer=False),
    Key("repair", "escape", "show_all", "All nodes", "Show every node again", in_footer=False),
    Key("repair", "v", "board", "View", "The nodes at work, or the plan and the guards", in_footer=False),
    Key("repair", "g", "ring", "Ring", "Show or hide the picture of the ring", in_footer=False),
    Key("settings", "f8", "done", "Use these", "Go on with what is typed"),
    Key("settings", "f2", "save", "Save", "Write recovery.yml", Danger.CHANGE),
    Key("settings", "f3", "try_nodetool", "nodetool", "Call nodetool once, harmlessly"),
    Key("settings", "f4", "pick", "Pick", "Pick the file or directory of this line"),
    Key("settings", "escape", "close", "Back", "Leave; what is typed and not saved is asked about"),
    Key("history", "n", "resume", "Resume", "Go on with the session under the cursor", Danger.CHANGE),
    Key("history", "g", "give_up", "Give up", "End it for good, with a reason; nothing is undone", Danger.CHANGE),
    Key("history", "escape,b", "close", "Back", "Back to the welcome screen"),
    Key("practise", "s", "speed", "Speed", "How fast simulated time runs"),
    Key("practise", "x", "nodes", "Real nodes", "Practise on real Cassandra nodes (Java 17)"),
    Key("practise", "escape,b", "close", "Back", "Back to the welcome screen"),
    Key("briefing", "n,enter", "begin", "Begin", "Begin your work"),
    Key("briefing", "escape,b", "close", "Back", "Back to the scenarios"),
    Key("debriefing", "escape,b,n,enter", "close", "Done", "Back to the scenarios; this practice world ends"),
    Key("dialogs", "f1", "help", "Help", "What this dialog is for, and every key it has"),
    Key("choice", "escape", "dismiss_unanswered", "Close", "Back without an answer"),
    Key("words", "escape,enter,q", "close", "Close", "Back to the screen behind"),
    Key("phrase, reason", "escape", "dismiss_unanswered", "Close", "Back without an answer", before_others=True),
    Key("phrase, reason", "up", "scroll_detail(-1)", "Scroll", "Scroll what stands above the line"),
    Key("phrase, reason", "down", "scroll_detail(1)", "Scroll", "Scroll what stands above the line"),
    Key("phrase, reason", "pageup", "scroll_detail(-10)", "Scroll", "Scroll it by a page"),
    Key("phrase, reason", "pagedown", "scroll_detail(10)", "Scroll", "Scroll it by a page"),
    Key("lines", "slash", "search", "Search", "Search the raw lines"),
    Key("lines", "y", "copy", "Copy the line", "Copy the line under the cursor"),
    Key("lines", "escape", "close", "Close", "End the search, then close"),
    Key("lines", "q", "dismiss", "Close", "Close", in_footer=False),
    Key("picker", "space", "pick", "Pick", "Pick what the cursor is on; Enter opens a directory", before_others=True),
    Key("picker", "u", "up", "Up", "Up one directory"),
    Key("picker", "escape", "dismiss_unpicked", "Close", "Back without a pick"),
)


STEP_KEYS = tuple(key for key in KEYMAP if key.where in {"everywhere", "step", "clean", "crowded", "repair"})
"""Those that a step's screen may have: looked at with every redraw."""


def bindings(*where: str) -> list[Binding]:
    """Textual's bindings of these groups, in the keymap's order."""
    return [
        Binding(
            key.keys,
            _scoped(key),
            key.label,
            show=key.in_footer,
            key_display="Enter" if key.keys == "enter" else None,
            tooltip=key.help,
            priority=key.before_others,
            id=identity(key),
        )
        for key in KEYMAP
        if key.where in where
    ]


def identity(key: Key) -> str:
    """Names the key in the bindings that are made from it."""
    return f"{key.where}.{key.action}"


def _scoped(key: Key) -> str:
    return f"app.{key.action}" if key.where in {"everywhere", "dialogs"} else key.action


def changes(action: str) -> bool:
    """Whether read-only mode leaves this action out."""
    return any(key.action == action and key.danger is not Danger.READ for key in KEYMAP)


def table() -> str:
    """The keymap as a Markdown table, for the documentation."""
    rows = ["| where | keys | what it does |", "|---|---|---|"]
    rows += [f"| {key.where} | {shown(key.keys)} | {key.help} |" for key in KEYMAP]
    return "\n".join(rows)


def shown(keys: str) -> str:
    """Key names as people write them."""
    return ", ".join(_shown(key) for key in keys.split(","))


def _shown(key: str) -> str:
    names = {
        "question_mark": "?",
        "slash": "/",
        "ctrl+q": "Ctrl+Q",
        "ctrl+l": "Ctrl+L",
        "escape": "Esc",
        "pageup": "PgUp",
        "pagedown": "PgDn",
    }
    if len(key) > 1 and key not in names and key.isalpha():
        return key.capitalize()
    is_function_key = key.startswith("f") and key[1:].isdigit()
    return names.get(key, key.upper() if is_function_key else key)
