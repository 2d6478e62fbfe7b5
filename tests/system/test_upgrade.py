"""A room of the first release after its upgrade: the daemon of this program takes up its home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from saferoom.errors import PeerError
from saferoom.jobs.home import Home
from saferoom.lab.processes import NodeProcess
from tests.old_homes import home_of, second_version

LATER = """
import sys
from pathlib import Path
from saferoom.node.state import versions
versions.MIGRATIONS = Path(sys.argv.pop(1))
from saferoom.cli import main
main()
"""
"""`saferoom` of a later release, with one version of the state more; its first word names the migrations."""


def saferoom(*words: str, home: Home) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "saferoom", *words, "--home", str(home.root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def centre(tmp_path: Path) -> Home:
    """The coordinator's home of 0.1, at any free port."""
    home = home_of("coordinator", tmp_path)
    settings = yaml.safe_load(home.settings.read_text("utf-8")) | {"listen": "127.0.0.1:0"}
    home.settings.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return home


@pytest.mark.slow
def test_the_coordinator_of_0_1_goes_on_after_its_upgrade(centre: Home, tmp_path: Path) -> None:
    later = (sys.executable, "-c", LATER, str(second_version(tmp_path)))
    with pytest.raises(PeerError, match="saferoom home upgrade --home"):
        NodeProcess.start("coordinator", "coordinator", centre.root, later)
    assert saferoom("home", "upgrade", home=centre).returncode == 0
    daemon = NodeProcess.start("coordinator", "coordinator", centre.root)
    try:
        parties = {row["party"] for row in daemon.ask("status")["parties"]}
        jobs = {row["kind"] for row in daemon.ask("job.list")["jobs"]}
        refused = saferoom("home", "upgrade", home=centre)
    finally:
        daemon.stop()
    assert (parties, jobs) == ({"bank", "tax"}, {"train", "score"})
    assert refused.returncode == 1 and "one writer" in refused.stderr
    assert saferoom("audit", "verify", home=centre).returncode == 0
