"""Homes of released versions, copied from `tests/fixtures`, and versions of the state that no release has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from saferoom.jobs.home import Home
from saferoom.node.state import versions

FIXTURES = Path(__file__).parent / "fixtures"
NODES = ("coordinator", "bank", "tax")

SECOND = '''
"""Jobs know their owner."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("owner", sa.String, nullable=False, server_default=""))
    op.execute("UPDATE jobs SET owner = 'of ' || contract_id")
    {last}
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("owner", server_default=None)
'''
"""Adds a column, fills it, and alters it: SQLite makes the table anew for that. `last`: what may go wrong."""


def home_of(node: str, folder: Path, version: str = "0.1") -> Home:
    """A copy in `folder` of a node's home as that release left it, readable by its owner alone."""
    root = folder / node
    shutil.copytree(FIXTURES / f"home-{version}" / node, root)
    for path in (root, *root.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return Home.at(root)


def second_version(folder: Path, last: str = "") -> Path:
    """A folder of migrations with one version more than this program has."""
    migrations = folder / "migrations"
    shutil.copytree(versions.MIGRATIONS, migrations)
    (migrations / "versions" / "version_0002.py").write_text(SECOND.format(last=last), encoding="utf-8")
    return migrations


def program_of_tomorrow(patch: pytest.MonkeyPatch, folder: Path, last: str = "") -> None:
    """From here on this program has the second version."""
    patch.setattr(versions, "MIGRATIONS", second_version(folder, last))
