"""Names of the steps that guards and other steps refer to."""

REPAIR = "repair"
FETCH_BACKUP_TIMESTAMP = "fetch-backup-timestamp"
BACK_UP_STORE = "back-up-store"
RESTORE_STORE = "restore-store"
CLEAN_TRANSACTIONS = "clean-transactions"
FAST_FORWARD = "fast-forward"
