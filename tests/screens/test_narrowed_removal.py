"""A scan that was narrowed is never shown as one of everything, neither before the confirmation nor as a proof."""

from typing import Any

import pytest

from atlasdb_recovery.events import Event, FactEstablished, StepVerified
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.removal.description import narrowed_lines, narrowed_to
from atlasdb_recovery.procedure.steps.clean_transactions import CleanTransactions
from tests.screens.removal_feed import (
    ASCII,
    CLEAN,
    EXPORT,
    UNICODE,
    B,
    Feed,
    before_removal,
    flat,
    guards,
    plan,
    removal_facts,
    settled,
    shown,
    until,
    wizard,
)
from tests.tui.recorded import seen
from tui.claims import claims
from tui.look import Look

IMMUTABLE = 900_000
NARROWED = {"from_start": IMMUTABLE}
EXTENT = f"both tables from start timestamp I = {IMMUTABLE} on, at ALL"
PROOF = f"no transaction committed after {B} is left: 402,113 cells of _transactions read at ALL"
REMOVED = FactEstablished(step=CLEAN, name=facts.REMOVED, value={"count": 1_284, "export": EXPORT})


def planned(count: int = 1_284, *, odd: int = 0, **more: Any) -> list[Event]:
    return [*guards(), plan(removal_facts(count, odd=odd) | more)]


def proven(*events: Event, lowest: int = IMMUTABLE) -> str:
    """What is claimed of a removal whose last scan began there."""
    view = seen([*before_removal(), *events, *settled(CLEAN, PROOF, *narrowed_lines(lowest))], "restore")
    return next(claim.words for claim in claims(view) if claim.step == CLEAN)


@pytest.mark.parametrize("look", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("count", [1_284, 0])
async def test_it_stands_on_the_screen_before_the_confirmation(count: int, look: Look) -> None:
    async def script(feed: Feed) -> int:
        feed(*before_removal(), *planned(count, odd=3, **NARROWED))
        await feed.bridge.advance(CleanTransactions(), Plan(title="the removal"))
        return 0

    app = wizard(script, look)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(app, pilot, f"narrowed: starts from I = {IMMUTABLE} on", "n begins clean-transactions")
        assert not count or EXPORT in flat(app).replace(" ", "")
        assert look is not ASCII or shown(app).isascii()
        await pilot.press("c")
        await until(app, pilot, "All that was found")
        await pilot.press("end")
        await until(app, pilot, f"scan: {EXTENT}")


async def test_of_a_full_scan_c_says_that_it_is_whole() -> None:
    async def script(feed: Feed) -> int:
        feed(*before_removal(), *planned())
        await feed.bridge.advance(CleanTransactions(), Plan(title="the removal"))
        return 0

    app = wizard(script)
    async with app.run_test(size=(160, 50)) as pilot:
        await until(app, pilot, "and the scan is made again: both tables, whole, at ALL")
        assert "narrowed" not in shown(app)
        await pilot.press("c")
        await until(app, pilot, "scan: both tables, whole, at ALL")


@pytest.mark.parametrize(("planned_from", "proven_from"), [(IMMUTABLE, IMMUTABLE), (1, IMMUTABLE), (IMMUTABLE, 1)])
async def test_the_proof_is_as_wide_as_its_own_scan(planned_from: int, proven_from: int) -> None:
    """A resumed session may scan otherwise than it had planned to."""

    async def script(feed: Feed) -> int:
        feed(*before_removal(), *planned(from_start=planned_from))
        feed(*settled(CLEAN, PROOF, *narrowed_lines(proven_from)))
        await feed.bridge.keep_alive()
        return 0

    app = wizard(script)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(app, pilot, "fast-forward is not begun")
        app.show_step(CLEAN)
        await until(app, pilot, f"rescanned {EXTENT if proven_from == IMMUTABLE else 'both tables, whole, at ALL'}")


async def test_what_will_be_scanned_again_is_said_before_it_is() -> None:
    async def script(feed: Feed) -> int:
        feed(*before_removal(), *planned(**NARROWED), settled(CLEAN)[0])
        await feed.bridge.keep_alive()
        return 0

    app = wizard(script)
    async with app.run_test(size=(160, 50)) as pilot:
        await until(app, pilot, f"rescanned {EXTENT}", f"the scan is made again: {EXTENT}")
        assert "whole" not in flat(app).replace("the whole table is scanned again", "")


def test_the_claim_says_what_was_scanned() -> None:
    found, nothing = (
        FactEstablished(step=CLEAN, name=facts.FINDINGS, value=removal_facts(count) | NARROWED) for count in (1_284, 0)
    )
    assert proven(found, REMOVED) == (
        f"1,284 transactions committed after B = {B} removed; scanned again: {EXTENT}, 0 left"
    )
    assert EXTENT in proven(nothing)
    assert proven() == f"scanned {EXTENT}: 0 transactions committed after B = {B}"
    assert "whole" not in proven() + proven(found, REMOVED) + proven(nothing)
    assert "whole" in proven(lowest=1)
    assert proven(found, REMOVED, lowest=1).endswith("removed; scanned again, 0 left")


def test_evidence_is_read_as_it_is_written() -> None:
    for lowest in (1, 2, IMMUTABLE, 2**63 - 1):
        assert narrowed_to((PROOF, *narrowed_lines(lowest))) == lowest
    assert narrowed_to(StepVerified(step=CLEAN, evidence=(f"{PROOF}: narrowed to nothing",)).evidence) == 1
