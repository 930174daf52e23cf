"""Backups over REST."""
