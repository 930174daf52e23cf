"""`.env.example` names every variable that the settings and the shop's start read."""

import re

from project.embedded.places import BASE_DIR


def test_the_example_names_every_variable():
    settings = (BASE_DIR / "project" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|required)\(\s*"(\w+)"', settings)) | {"HOST", "PORT", "DEMO", "WEB_CONCURRENCY"}
    named = set(re.findall(r"^#(\w+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE))
    assert read - named == set()
