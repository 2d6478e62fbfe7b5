"""The tables of a node's state, as this program reads and writes them.

Whoever changes one adds a version to `migrations/versions`: tests hold the two together.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

contracts = sa.Table(
    "contracts",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("canonical", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("updated", sa.Float, nullable=False),
)
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("contract_id", sa.String, primary_key=True),
    sa.Column("party", sa.String, primary_key=True),
    sa.Column("decision", sa.String, primary_key=True),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
)
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("contract_id", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("problem", sa.JSON),
    sa.Column("summary", sa.JSON),
)
permits = sa.Table(
    "permits",
    metadata,
    sa.Column("contract_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("left", sa.Integer, nullable=False),
)
destructions = sa.Table(
    "destructions",
    metadata,
    sa.Column("job_id", sa.String, primary_key=True),
    sa.Column("contract_id", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("on_behalf_of", sa.String, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("scope", sa.String, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try", sa.Float, nullable=False),
    sa.Column("changed", sa.Float, nullable=False),
)

JOB_ENDED = ("finished", "failed", "cancelled", "refused")
