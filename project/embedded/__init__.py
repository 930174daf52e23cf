"""Runs the whole shop on one machine: PostgreSQL, Redis, the web server, a worker and beat under one supervisor.

`manage.py up` and `make run` start it, `python -m project.embedded with-services` runs one command beside scratch
services. Nothing here reads Django's settings: the services make the values that the settings ask for.
"""
