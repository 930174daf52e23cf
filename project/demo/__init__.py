"""The demo shop of the first start: a real menu, and a week in the life of two shops in Bangkok."""
