"""A repair as the engine tells it, event by event, without a cluster; and an application with only its screen."""

from collections.abc import Iterable, Sequence

from textual.app import App

from atlasdb_recovery.events import (
    CommandEnded,
    CommandStarted,
    Event,
    LinePrinted,
    PlanMade,
    Progressed,
    RangesExpected,
    RangesRepaired,
    RepairJudged,
    ServerAsked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
)
from atlasdb_recovery.procedure.controls import Controls
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.session import SessionState
from screens.repair import RepairScreen
from tui.bridge import Bridge
from tui.look import DARK, LIGHT, Look
from tui.session_view import SessionView

STEP = "repair"
TABLES = ("_transactions", "_transactions2")


def addresses(count: int) -> list[str]:
    return [f"10.0.{at // 200}.{at % 200 + 1}" for at in range(count)]


class RepairFeed:
    """Nodes and their ranges, interleaved around the ring as vnodes are; what is fed goes through the bridge."""

    def __init__(self, nodes: int, ranges: int, *, mode: str = "PRACTICE") -> None:
        self.nodes = addresses(nodes)
        tokens = [-(2**63) + at * (2**64 // (nodes * ranges)) for at in range(nodes * ranges)]
        spans = [f"({tokens[at - 1]},{token}]" for at, token in enumerate(tokens)]
        self.ranges = {node: tuple(spans[at::nodes]) for at, node in enumerate(self.nodes)}
        self.done: dict[str, int] = dict.fromkeys(self.nodes, 0)
        self.state = SessionState()
        self.bridge = Bridge(SessionView(restore_steps(), mode=mode, keyspace="shop"))
        self.controls = Controls()
        self.bridge.begin(restore_steps(), self.controls)

    def feed(self, *events: Event) -> None:
        for event in events:
            self.state.apply(event)
            self.bridge.show(event, self.state)

    def begin(self, attempt: int = 1) -> None:
        """A session whose steps before the repair are proven, and the repair's beginning."""
        if attempt == 1:
            self.feed(_session())
            for step in ("preflight", "restore-store"):
                self.state.step(step).status = "verified"
        self.plan(self.nodes)
        self.feed(StepIntended(step=STEP, fingerprint="f" * 12, attempt=attempt))
        self.feed(*(RangesExpected(step=STEP, node=node, ranges=self.ranges[node]) for node in self.nodes))

    def resume(self) -> None:
        self.feed(SessionResumed(operator="tester", host="here", process=2))

    def plan(self, nodes: Sequence[str]) -> None:
        commands = {node: [["repair", "--partitioner-range", "--full", "--", "shop", *TABLES]] for node in nodes}
        lines = tuple(f"nodetool -h {node} -p 7199 {' '.join(commands[node][0])}" for node in nodes)
        title = f"repair {', '.join(TABLES)} of shop on {len(nodes)} nodes"
        self.feed(PlanMade(step=STEP, title=title, lines=lines, fingerprint="f" * 12, facts={"commands": commands}))

    def start(self, node: str) -> None:
        command = ("nodetool", "-h", node, "repair", "--partitioner-range", "--full", "--", "shop", *TABLES)
        self.feed(CommandStarted(step=STEP, source=node, command=command))

    def line(self, node: str, text: str, at: float = 1.0, stream: str = "out") -> None:
        self.feed(LinePrinted(step=STEP, source=node, stream=stream, text=text, at=at))

    def repair(self, node: str, count: int, *, failed: int = 0) -> None:
        """The next ranges of this node finish; so many more fail."""
        at = self.done[node]
        self.done[node] = at + count
        done, lost = self.ranges[node][at : at + count], self.ranges[node][at + count : at + count + failed]
        self.feed(
            RangesRepaired(step=STEP, node=node, ranges=done, failed=lost),
            Progressed(step=STEP, unit="ranges", done=at + count, total=len(self.ranges[node]), scope=node),
        )

    def bytes(self, node: str, validated: tuple[int, int], streamed: tuple[int, int]) -> None:
        for unit, (done, total) in (("bytes validated", validated), ("bytes streamed", streamed)):
            self.feed(Progressed(step=STEP, unit=unit, done=done, total=total, scope=node))

    def ask(self, node: str, answer: str, *, repairing: bool | None) -> None:
        self.feed(ServerAsked(step=STEP, node=node, answer=answer, repairing=repairing, silent_seconds=30.0))

    def end(self, node: str, exit_code: int = 0) -> None:
        self.feed(CommandEnded(step=STEP, source=node, exit_code=exit_code, seconds=12.5))

    def judge(self, node: str, verdict: str, *reasons: str, failed: Iterable[str] = ()) -> None:
        """Everything done so far is proven."""
        whole = verdict == "repaired"
        proven = self.ranges[node] if whole else self.ranges[node][: self.done[node]]
        self.done[node] = len(proven)
        self.feed(
            RepairJudged(
                step=STEP,
                node=node,
                tables=TABLES,
                verdict=verdict,
                reasons=reasons,
                ranges=proven,
                proven=() if whole else proven,
                failed=tuple(failed),
                attempt=self.bridge.view.repair.row(node).attempt,
            )
        )

    def fail(self, problem: str, remedy: str) -> None:
        self.feed(StepFailed(step=STEP, problem=problem, evidence=(), remedy=remedy))


def _session() -> SessionStarted:
    return SessionStarted(
        session="restore-shop-1",
        procedure="restore",
        keyspace="shop",
        mode="PRACTICE",
        version="0",
        operator="tester",
        host="here",
        process=1,
        settings={},
        cluster="Practice",
    )


class RepairApp(App[None]):
    """Only the repair's screen, with the wizard's own style sheet and themes."""

    CSS_PATH = "../../tui/wizard.tcss"

    def __init__(self, bridge: Bridge, look: Look, *, read_only: bool = False) -> None:
        super().__init__()
        self.bridge = bridge
        self._look = look
        self._read_only = read_only

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = self._look.theme
        self.set_class(self._look.is_ascii, "-ascii")
        self.push_screen(RepairScreen(self.bridge, self._look, STEP, read_only=self._read_only))
