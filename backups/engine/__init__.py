"""What joins PostgreSQL's own tools: backups, WAL, recovery. Works with the files alone: the shop's tables may be
empty, and its database gone."""
