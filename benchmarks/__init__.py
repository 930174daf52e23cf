"""How fast the shop is, and how near to the limit: `make bench` prints a table.

Figures of one machine say little about another; ratios taken in the same run say more. So every rate of the
shop stands beside the same SQL in plain psycopg2, measured in turns with it.
"""
