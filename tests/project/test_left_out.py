"""What happens to a test whose means are missing: named at the end, or with CI=true a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from project.embedded.places import BASE_DIR

pytestmark = pytest.mark.slow

TESTS = """
import pytest

@pytest.mark.journey
def test_a_journey(): pass

def test_another(): pass
"""


@pytest.mark.parametrize(
    ("ci", "parallel", "code", "result"),
    [("", [], 0, "1 passed"), ("", ["-n", "2"], 0, "1 passed"), ("true", ["-n", "2"], 1, "1 passed, 1 error")],
    ids=["on a desk", "on a desk, in two processes", "in CI"],
)
def test_a_journey_without_a_browser(tmp_path: Path, ci: str, parallel: list[str], code: int, result: str):
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = journey\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *parallel, "."],
        cwd=tmp_path,
        env=environment | {"CI": ci, "CHROMIUM": "no-such-browser", "PYTHONPATH": str(BASE_DIR)},
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert result in ran.stdout.splitlines()[-1]
    named = "LEFT OUT test_some.py::test_a_journey: there is no Chromium (install it, or name one in CHROMIUM)"
    assert (named in ran.stdout.splitlines()) is (ci == "")
    if ci:
        assert "With CI=true no test may be left out." in ran.stdout
