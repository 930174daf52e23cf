"""The database that can go away: a server that restarts, a machine that dies, a leader that is another one now.

See docs/adr/0065-a-database-that-goes-away.md.
"""
