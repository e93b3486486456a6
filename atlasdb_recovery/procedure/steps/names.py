"""Names of the steps that guards and other steps refer to."""

REPAIR = "repair"
RESTORE_STORE = "restore-store"
CLEAN_TRANSACTIONS = "clean-transactions"
FAST_FORWARD = "fast-forward"
