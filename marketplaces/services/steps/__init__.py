"""The steps of a stock operation. Each takes a list of operations, leaves alone what is not its own, and may die at any
line: what it does, it does in transactions of its own around the calls of the marketplace, and what is done it finds
done the next time."""
