"""A cluster of three nodes on one machine, for trying: deploy/cluster as it is, run three times."""
