"""What a node remembers: its tables, their versions, and the store that reads and writes them.

tables      the tables as this program uses them
store       State: every call one transaction
versions    which version a database has, and the way to this program's
first       the tables of version 0001, by which a home of SafeRoom 0.1 is known
copies      what is kept of a state before its tables are changed
migrations  one file a version, run by Alembic
"""

from saferoom.node.state.store import State
from saferoom.node.state.tables import JOB_ENDED, contracts, decisions, destructions, jobs, permits

__all__ = ["JOB_ENDED", "State", "contracts", "decisions", "destructions", "jobs", "permits"]
