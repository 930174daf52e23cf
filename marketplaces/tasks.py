"""The tasks of marketplaces. Each may run twice, or die at any line, without harm."""
