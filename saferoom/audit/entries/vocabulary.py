"""The closed vocabularies of an event, each word with what it means to a reader, in Chinese and English.

Event types, the life cycle's six stages, outcomes, directions, and buckets. A new kind of act needs a line in
`_EVENTS`, and everything that checks or shows events knows it. Words are never renamed: old logs keep them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

from saferoom.errors import UsageError

Stage = Literal["collection", "transfer", "storage", "use", "sharing", "destruction"]
"""The data life cycle's stages, in their order."""

Outcome = Literal["allowed", "refused", "failed"]

Direction = Literal["sent", "received", "relayed"]

EventType: TypeAlias = str
"""A word of `EVENTS`; the schema refuses all others."""


class Meaning(NamedTuple):
    """What a word means to a reader."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class EventWord:
    """One type of event: its word in the log, its one stage, its meaning.

    An entry that names another stage is refused.
    """

    word: EventType
    stage: Stage
    zh: str
    en: str


_EVENTS = (
    EventWord("node.started", "use", "节点启动", "Node started"),
    EventWord("node.stopped", "use", "节点停止", "Node stopped"),
    EventWord("key.made", "storage", "密钥生成", "Key made"),
    EventWord("key.rotated", "storage", "密钥轮换", "Key rotated"),
    EventWord("key.revoked", "destruction", "密钥吊销", "Key revoked"),
    EventWord("party.enrolled", "use", "参与方登记", "Party enrolled"),
    EventWord("party.joined", "use", "参与方入网", "Party joined"),
    EventWord("party.removed", "use", "参与方移除", "Party removed"),
    EventWord("dataset.registered", "collection", "数据集登记", "Data set registered"),
    EventWord("dataset.changed", "collection", "数据集变更", "Data set changed"),
    EventWord("dataset.removed", "destruction", "数据集移除", "Data set removed"),
    EventWord("consent.filtered", "collection", "按企业授权筛选", "Consent filter applied"),
    EventWord("contract.drafted", "use", "合约起草", "Contract drafted"),
    EventWord("contract.approved", "use", "合约批准", "Contract approved"),
    EventWord("contract.refused", "use", "合约拒绝", "Contract refused"),
    EventWord("contract.signed", "use", "合约签署", "Contract signed"),
    EventWord("contract.activated", "use", "合约生效", "Contract activated"),
    EventWord("contract.expired", "use", "合约到期", "Contract expired"),
    EventWord("contract.revoked", "use", "合约撤销", "Contract revoked"),
    EventWord("policy.changed", "use", "本方策略变更", "Policy changed"),
    EventWord("job.submitted", "use", "作业提交", "Job submitted"),
    EventWord("job.permitted", "use", "作业许可", "Job permitted"),
    EventWord("job.offered", "use", "作业邀约", "Job offered"),
    EventWord("job.accepted", "use", "作业接受", "Job accepted"),
    EventWord("job.refused", "use", "作业拒绝", "Job refused"),
    EventWord("job.started", "use", "作业开始", "Job started"),
    EventWord("job.checkpointed", "storage", "作业存档", "Job checkpointed"),
    EventWord("job.resumed", "use", "作业恢复", "Job resumed"),
    EventWord("job.finished", "use", "作业完成", "Job finished"),
    EventWord("job.failed", "use", "作业失败", "Job failed"),
    EventWord("job.cancelled", "use", "作业取消", "Job cancelled"),
    EventWord("psi.done", "use", "隐私求交完成", "Alignment done"),
    EventWord("disclosure", "sharing", "披露", "Disclosure"),
    EventWord("transcript", "transfer", "通信摘要", "Transcript digest"),
    EventWord("relay.envelope", "transfer", "中继转发", "Relayed envelopes"),
    EventWord("model.stored", "storage", "模型保存", "Model stored"),
    EventWord("model.exported", "sharing", "模型导出", "Model exported"),
    EventWord("model.destroyed", "destruction", "模型销毁", "Model destroyed"),
    EventWord("scores.stored", "storage", "评分保存", "Scores stored"),
    EventWord("score.batch", "use", "批量评分", "Batch scored"),
    EventWord("score.one", "use", "单笔评分", "One enterprise scored"),
    EventWord("release.counted", "sharing", "评分披露量估算", "What scores show was counted"),
    EventWord("grade.released", "sharing", "等级发布", "Grades released"),
    EventWord("report.issued", "sharing", "报告出具", "Report issued"),
    EventWord("report.verified", "use", "报告核验", "Report verified"),
    EventWord("destruction.begun", "destruction", "销毁开始", "Destruction begun"),
    EventWord("retention.destroyed", "destruction", "到期销毁", "Destroyed at end of retention"),
    EventWord("staging.destroyed", "destruction", "临时文件销毁", "Staged files destroyed"),
    EventWord(
        "salt.destroyed", "destruction", "盐值销毁（主体解除关联）", "Salt destroyed: subject unlinked"
    ),
    EventWord("request.refused", "transfer", "请求拒绝", "Request refused"),
    EventWord("auditor.read", "use", "审计员查阅", "Auditor read"),
    EventWord("log.recovered", "storage", "日志恢复", "Log recovered"),
    EventWord("witness.alarm", "storage", "见证告警", "Witness alarm"),
)

STAGE_MEANINGS: dict[Stage, Meaning] = {
    "collection": Meaning("归集", "collection"),
    "transfer": Meaning("传输", "transfer"),
    "storage": Meaning("存储", "storage"),
    "use": Meaning("使用", "use"),
    "sharing": Meaning("共享", "sharing"),
    "destruction": Meaning("销毁", "destruction"),
}
OUTCOME_MEANINGS: dict[Outcome, Meaning] = {
    "allowed": Meaning("允许", "Allowed"),
    "refused": Meaning("拒绝", "Refused"),
    "failed": Meaning("失败", "Failed"),
}

EVENTS: dict[EventType, EventWord] = {event.word: event for event in _EVENTS}
EVENT_TYPES: frozenset[EventType] = frozenset(EVENTS)
STAGE_OF: dict[EventType, Stage] = {event.word: event.stage for event in EVENTS.values()}
STAGES: tuple[Stage, ...] = tuple(STAGE_MEANINGS)
OUTCOMES: tuple[Outcome, ...] = tuple(OUTCOME_MEANINGS)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

_DECADES = 16


def bucket(count: int) -> str:
    """The decade a count of rows or bytes falls into: `0`, `1-9`, `10-99`, …, `1000000000000000+`.

    Raises: UsageError if count is negative.
    """
    if count < 0:
        raise UsageError("a count is not negative")
    if count == 0:
        return "0"
    digits = len(str(count))
    low = 10 ** (digits - 1)
    return f"{10 ** (_DECADES - 1)}+" if digits >= _DECADES else f"{low}-{low * 10 - 1}"


BUCKETS: frozenset[str] = frozenset([bucket(0), *(bucket(10**power) for power in range(_DECADES))])
