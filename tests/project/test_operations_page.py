"""The page about running the shop says what each alert means."""

import re
from pathlib import Path

from django.conf import settings

from monitoring.registry import events

PAGE = Path(settings.BASE_DIR) / "docs" / "operations.md"


def test_every_alert_that_may_be_raised_is_explained_and_no_other() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## What each alert means")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", section))
    assert named == {event.name for event in events.all()}
