"""What /metrics tells: figures that apps have registered, and what the processes of this machine have counted.

See docs/metrics.md for the names.
"""
