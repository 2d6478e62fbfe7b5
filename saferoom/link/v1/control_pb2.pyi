from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Control(_message.Message):
    __slots__ = ("hello", "contract", "decision", "request", "answer", "offer", "reply", "start", "progress", "end", "verdict", "cancel", "witness_ask", "witness_reply", "destroy")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    WITNESS_ASK_FIELD_NUMBER: _ClassVar[int]
    WITNESS_REPLY_FIELD_NUMBER: _ClassVar[int]
    DESTROY_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    contract: Contract
    decision: Decision
    request: JobRequest
    answer: JobRequestAnswer
    offer: JobOffer
    reply: JobReply
    start: JobStart
    progress: JobProgress
    end: JobEnd
    verdict: JobVerdict
    cancel: JobCancel
    witness_ask: WitnessAsk
    witness_reply: WitnessReply
    destroy: DestroyOrder
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., contract: _Optional[_Union[Contract, _Mapping]] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., request: _Optional[_Union[JobRequest, _Mapping]] = ..., answer: _Optional[_Union[JobRequestAnswer, _Mapping]] = ..., offer: _Optional[_Union[JobOffer, _Mapping]] = ..., reply: _Optional[_Union[JobReply, _Mapping]] = ..., start: _Optional[_Union[JobStart, _Mapping]] = ..., progress: _Optional[_Union[JobProgress, _Mapping]] = ..., end: _Optional[_Union[JobEnd, _Mapping]] = ..., verdict: _Optional[_Union[JobVerdict, _Mapping]] = ..., cancel: _Optional[_Union[JobCancel, _Mapping]] = ..., witness_ask: _Optional[_Union[WitnessAsk, _Mapping]] = ..., witness_reply: _Optional[_Union[WitnessReply, _Mapping]] = ..., destroy: _Optional[_Union[DestroyOrder, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("software", "running_jobs")
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    RUNNING_JOBS_FIELD_NUMBER: _ClassVar[int]
    software: str
    running_jobs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, software: _Optional[str] = ..., running_jobs: _Optional[_Iterable[str]] = ...) -> None: ...

class Contract(_message.Message):
    __slots__ = ("contract_id", "canonical", "signatures", "state", "reason", "revocation")
    class SignaturesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    CANONICAL_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REVOCATION_FIELD_NUMBER: _ClassVar[int]
    contract_id: str
    canonical: bytes
    signatures: _containers.ScalarMap[str, bytes]
    state: str
    reason: str
    revocation: Decision
    def __init__(self, contract_id: _Optional[str] = ..., canonical: _Optional[bytes] = ..., signatures: _Optional[_Mapping[str, bytes]] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., revocation: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("contract_id", "contract_hash", "decision", "reason", "signature", "party")
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_HASH_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    contract_id: str
    contract_hash: bytes
    decision: str
    reason: str
    signature: bytes
    party: str
    def __init__(self, contract_id: _Optional[str] = ..., contract_hash: _Optional[bytes] = ..., decision: _Optional[str] = ..., reason: _Optional[str] = ..., signature: _Optional[bytes] = ..., party: _Optional[str] = ...) -> None: ...

class JobRequest(_message.Message):
    __slots__ = ("request_id", "contract_id", "kind", "params_json")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARAMS_JSON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    contract_id: str
    kind: str
    params_json: str
    def __init__(self, request_id: _Optional[str] = ..., contract_id: _Optional[str] = ..., kind: _Optional[str] = ..., params_json: _Optional[str] = ...) -> None: ...

class JobRequestAnswer(_message.Message):
    __slots__ = ("request_id", "job_id", "problem")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    job_id: str
    problem: Problem
    def __init__(self, request_id: _Optional[str] = ..., job_id: _Optional[str] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class JobOffer(_message.Message):
    __slots__ = ("job_id", "session", "contract_id", "contract_hash", "kind", "params_json", "request_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_HASH_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARAMS_JSON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    session: int
    contract_id: str
    contract_hash: bytes
    kind: str
    params_json: str
    request_id: str
    def __init__(self, job_id: _Optional[str] = ..., session: _Optional[int] = ..., contract_id: _Optional[str] = ..., contract_hash: _Optional[bytes] = ..., kind: _Optional[str] = ..., params_json: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class JobReply(_message.Message):
    __slots__ = ("job_id", "accepted", "problem", "sealed_keys")
    class SealedKeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SEALED_KEYS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    accepted: bool
    problem: Problem
    sealed_keys: _containers.ScalarMap[str, bytes]
    def __init__(self, job_id: _Optional[str] = ..., accepted: _Optional[bool] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ..., sealed_keys: _Optional[_Mapping[str, bytes]] = ...) -> None: ...

class JobStart(_message.Message):
    __slots__ = ("job_id", "sealed_keys")
    class SealedKeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SEALED_KEYS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    sealed_keys: _containers.ScalarMap[str, bytes]
    def __init__(self, job_id: _Optional[str] = ..., sealed_keys: _Optional[_Mapping[str, bytes]] = ...) -> None: ...

class JobProgress(_message.Message):
    __slots__ = ("job_id", "party", "phase", "done", "total", "sent_bytes")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    party: str
    phase: str
    done: int
    total: int
    sent_bytes: int
    def __init__(self, job_id: _Optional[str] = ..., party: _Optional[str] = ..., phase: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., sent_bytes: _Optional[int] = ...) -> None: ...

class JobEnd(_message.Message):
    __slots__ = ("job_id", "finished", "problem", "summary_json")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_JSON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    finished: bool
    problem: Problem
    summary_json: str
    def __init__(self, job_id: _Optional[str] = ..., finished: _Optional[bool] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ..., summary_json: _Optional[str] = ...) -> None: ...

class JobVerdict(_message.Message):
    __slots__ = ("job_id", "finished", "problem")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    finished: bool
    problem: Problem
    def __init__(self, job_id: _Optional[str] = ..., finished: _Optional[bool] = ..., problem: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class JobCancel(_message.Message):
    __slots__ = ("job_id", "by", "reason")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    by: str
    reason: str
    def __init__(self, job_id: _Optional[str] = ..., by: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class WitnessAsk(_message.Message):
    __slots__ = ("asker", "witness", "number", "request")
    ASKER_FIELD_NUMBER: _ClassVar[int]
    WITNESS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    asker: str
    witness: str
    number: int
    request: bytes
    def __init__(self, asker: _Optional[str] = ..., witness: _Optional[str] = ..., number: _Optional[int] = ..., request: _Optional[bytes] = ...) -> None: ...

class WitnessReply(_message.Message):
    __slots__ = ("asker", "witness", "number", "status", "body", "held")
    ASKER_FIELD_NUMBER: _ClassVar[int]
    WITNESS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    asker: str
    witness: str
    number: int
    status: int
    body: str
    held: str
    def __init__(self, asker: _Optional[str] = ..., witness: _Optional[str] = ..., number: _Optional[int] = ..., status: _Optional[int] = ..., body: _Optional[str] = ..., held: _Optional[str] = ...) -> None: ...

class DestroyOrder(_message.Message):
    __slots__ = ("job_id", "contract_id", "party", "reason", "signature")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    contract_id: str
    party: str
    reason: str
    signature: bytes
    def __init__(self, job_id: _Optional[str] = ..., contract_id: _Optional[str] = ..., party: _Optional[str] = ..., reason: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("error", "party", "step", "message", "remedy")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    error: str
    party: str
    step: str
    message: str
    remedy: str
    def __init__(self, error: _Optional[str] = ..., party: _Optional[str] = ..., step: _Optional[str] = ..., message: _Optional[str] = ..., remedy: _Optional[str] = ...) -> None: ...
