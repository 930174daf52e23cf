"""The errors that monitoring raises. They are mistakes of a program, not refusals of a person's wish."""


class AlreadyRegistered(Exception):
    """Two apps register an event, a check or a metric under one name."""


class NotRegistered(LookupError):
    """Nobody has registered an event, a check or a metric of this name."""


class CheckFailed(Exception):
    """A check has found a fault. The text is shown to anybody: no host, no user name, no secret in it."""
