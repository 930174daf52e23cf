"""Programs that run beside the shop's own: PostgreSQL and its tools, Redis, the web server. Needs no settings."""
