"""The audit log: an append-only Merkle log of what a node did and refused to do, checkable offline.

    AuditLog, Receipt     append, checkpoints, proofs                          log
    Recorder              one line an act, for nodes                           recorder
    Event and its parts   the allow-listed schema                              events, schema, vocabulary
    SaltStore             commitments to subjects that can be unlinked         commitments
    lifecycle             one contract by the six stages of its data           lifecycle
    wipe_tree             destroying what may be kept no longer                erasure
    verify_log            the auditor's check: a verdict                       verify
    export_folder         exact bytes as JSON Lines, to hand over              export

Underneath: `merkle` and `tiles` (the tree), `note` and `checkpoint` (what is signed), `store` and `sqlite`
(where it lies).
"""

from saferoom.audit.entries.events import (
    Actor,
    Anchor,
    ContractRef,
    DataObject,
    Deletion,
    DisclosureRef,
    Event,
    ModelRef,
    PeerRef,
)
from saferoom.audit.entries.vocabulary import EventType, Outcome, Stage, bucket
from saferoom.audit.evidence.verdict import Verdict, VerdictKind
from saferoom.audit.evidence.verify import verify_log
from saferoom.audit.formats.note import NoteSigner, NoteVerifier
from saferoom.audit.log.audit_log import AuditLog, Receipt
from saferoom.audit.log.commitments import SaltStore, subject_commitment
from saferoom.audit.log.export import export_folder
from saferoom.audit.log.recorder import Recorder, safe_reason
from saferoom.audit.log.sqlite import copy_log

__all__ = [
    "Actor",
    "Anchor",
    "AuditLog",
    "ContractRef",
    "DataObject",
    "Deletion",
    "DisclosureRef",
    "Event",
    "EventType",
    "ModelRef",
    "NoteSigner",
    "NoteVerifier",
    "Outcome",
    "PeerRef",
    "Receipt",
    "Recorder",
    "SaltStore",
    "Stage",
    "Verdict",
    "VerdictKind",
    "bucket",
    "copy_log",
    "export_folder",
    "safe_reason",
    "subject_commitment",
    "verify_log",
]
