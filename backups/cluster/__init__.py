"""The cluster of database servers that Patroni looks after: what it says of itself, and what has happened to it.

Nothing here needs the shop's database: it is just what may be without a leader.
"""
