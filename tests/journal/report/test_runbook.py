"""The report expects the very steps that the procedures have."""

from atlasdb_recovery.journal.report.runbook import RUNBOOKS
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.restore import restore_steps


def test_the_report_expects_the_steps_of_the_procedures_in_their_order() -> None:
    for name, steps in (("backup", backup_steps()), ("restore", restore_steps())):
        assert [(page.name, page.title) for page in RUNBOOKS[name]] == [(step.name, step.title) for step in steps]
