"""Which timestamps a fast-forward may aim at."""

from atlasdb_recovery.timestamps.service import HIGHEST_TIMESTAMP, REFUSED_BELOW_HIGHEST, TimestampServiceRefused

HIGHEST_TARGET = HIGHEST_TIMESTAMP - REFUSED_BELOW_HIGHEST


def require_reachable(target: int) -> None:
    """Raises TimestampServiceRefused for a target below 1, or so high that no timestamps would be left after it."""
    if target < 1:
        raise TimestampServiceRefused(
            f"Nothing was changed: {target} is no timestamp to fast-forward to; AtlasDB's begin at 1."
            " Give the number in the backup's fast-forward.timestamp."
        )
    if target > HIGHEST_TARGET:
        raise TimestampServiceRefused(
            f"Nothing was changed: {target} lies within {REFUSED_BELOW_HIGHEST} of the highest timestamp there is"
            f" ({HIGHEST_TIMESTAMP}). A fast-forward cannot be undone, and the service would have none left to hand"
            " out. Give the number in the backup's fast-forward.timestamp."
        )
