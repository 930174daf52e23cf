"""What each role may do with backups: only the admin anything, since a backup holds everything."""

ROLES = {
    "admin": [
        "backups.view_backup",
        "backups.make_backup",
        "backups.delete_old_backup",
        "backups.view_restorerun",
        "backups.restore",
        "backups.view_walcheck",
        "backups.view_clusterevent",
        "backups.switch_over",
    ],
}
