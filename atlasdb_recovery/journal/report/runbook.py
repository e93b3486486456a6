"""The steps each procedure consists of, and what it means for the service if one of them is not proven."""

import msgspec


class Page(msgspec.Struct, frozen=True):
    """A step as the report speaks of it. `unproven` completes “Not proven: …”."""

    name: str
    title: str
    unproven: str


RUNBOOKS: dict[str, tuple[Page, ...]] = {
    "backup": (
        Page("preflight", "Look before anything is copied", "that all the backup needs works"),
        Page(
            "fetch-backup-timestamp",
            "Fetch the backup timestamp B",
            "the backup timestamp B; without it the backup cannot be restored to one point in time",
        ),
        Page("back-up-store", "Back up the store", "that the store's backup exists"),
        Page(
            "fetch-fast-forward-timestamp",
            "Fetch the fast-forward timestamp F",
            "the fast-forward timestamp F; without it a restored service would reuse timestamps",
        ),
        Page("seal-backup", "Seal the backup", "that the backup is whole: it has no manifest to check it by"),
    ),
    "restore": (
        Page("preflight", "Look before anything is restored", "that the cluster is fit for a restore"),
        Page("restore-store", "Restore the store", "that the store's data is back"),
        Page(
            "repair",
            "Repair the transactions tables on every node",
            "that the replicas agree on which transactions committed",
        ),
        Page(
            "clean-transactions",
            "Remove the transactions committed after the backup timestamp",
            "that no transaction committed after B is left: the data may be torn",
        ),
        Page(
            "fast-forward",
            "Fast-forward the timestamp service to F",
            "that the timestamp service is past F: a service started now would corrupt its data silently",
        ),
        Page("prove", "Prove the restore", "that everything holds together, looked at once more at the end"),
    ),
}


def page(procedure: str, step: str) -> Page:
    """What is known of this step; an unknown one goes by its own name."""
    for known in RUNBOOKS.get(procedure, ()):
        if known.name == step:
            return known
    return Page(step, step, f"the step {step}")
