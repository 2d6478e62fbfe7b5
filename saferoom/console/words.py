"""What the log's words mean to a reader, in Chinese and English. A test holds them complete.

The log's own word is always shown beside its meaning: a page must be comparable with the entry's bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from saferoom.audit.entries.vocabulary import STAGE_TITLES
from saferoom.audit.evidence.verdict import NOT_PROVED, VerdictKind
from saferoom.protocols.learns import KINDS
from saferoom.report.texts import KINDS_ZH

Pair = tuple[str, str]
"""Chinese, English."""

TYPES: Mapping[str, Pair] = {
    "node.started": ("节点启动", "Node started"),
    "node.stopped": ("节点停止", "Node stopped"),
    "key.made": ("密钥生成", "Key made"),
    "key.rotated": ("密钥轮换", "Key rotated"),
    "key.revoked": ("密钥吊销", "Key revoked"),
    "party.enrolled": ("参与方登记", "Party enrolled"),
    "party.joined": ("参与方入网", "Party joined"),
    "party.removed": ("参与方移除", "Party removed"),
    "dataset.registered": ("数据集登记", "Data set registered"),
    "dataset.changed": ("数据集变更", "Data set changed"),
    "dataset.removed": ("数据集移除", "Data set removed"),
    "consent.filtered": ("按企业授权筛选", "Consent filter applied"),
    "contract.drafted": ("合约起草", "Contract drafted"),
    "contract.approved": ("合约批准", "Contract approved"),
    "contract.refused": ("合约拒绝", "Contract refused"),
    "contract.signed": ("合约签署", "Contract signed"),
    "contract.activated": ("合约生效", "Contract activated"),
    "contract.expired": ("合约到期", "Contract expired"),
    "contract.revoked": ("合约撤销", "Contract revoked"),
    "policy.changed": ("本方策略变更", "Policy changed"),
    "job.submitted": ("作业提交", "Job submitted"),
    "job.permitted": ("作业许可", "Job permitted"),
    "job.offered": ("作业邀约", "Job offered"),
    "job.accepted": ("作业接受", "Job accepted"),
    "job.refused": ("作业拒绝", "Job refused"),
    "job.started": ("作业开始", "Job started"),
    "job.checkpointed": ("作业存档", "Job checkpointed"),
    "job.resumed": ("作业恢复", "Job resumed"),
    "job.finished": ("作业完成", "Job finished"),
    "job.failed": ("作业失败", "Job failed"),
    "job.cancelled": ("作业取消", "Job cancelled"),
    "psi.done": ("隐私求交完成", "Alignment done"),
    "disclosure": ("披露", "Disclosure"),
    "transcript": ("通信摘要", "Transcript digest"),
    "relay.envelope": ("中继转发", "Relayed envelopes"),
    "model.stored": ("模型保存", "Model stored"),
    "model.exported": ("模型导出", "Model exported"),
    "model.destroyed": ("模型销毁", "Model destroyed"),
    "scores.stored": ("评分保存", "Scores stored"),
    "score.batch": ("批量评分", "Batch scored"),
    "score.one": ("单笔评分", "One enterprise scored"),
    "grade.released": ("等级发布", "Grades released"),
    "report.issued": ("报告出具", "Report issued"),
    "report.verified": ("报告核验", "Report verified"),
    "destruction.begun": ("销毁开始", "Destruction begun"),
    "retention.destroyed": ("到期销毁", "Destroyed at end of retention"),
    "staging.destroyed": ("临时文件销毁", "Staged files destroyed"),
    "salt.destroyed": ("盐值销毁（主体解除关联）", "Salt destroyed: subject unlinked"),
    "request.refused": ("请求拒绝", "Request refused"),
    "auditor.read": ("审计员查阅", "Auditor read"),
    "witness.alarm": ("见证告警", "Witness alarm"),
    "log.recovered": ("日志恢复", "Log recovered"),
}

STAGES: Mapping[str, Pair] = {
    stage: (titles["zh"], titles["en"].capitalize()) for stage, titles in STAGE_TITLES.items()
}

OUTCOMES: Mapping[str, Pair] = {
    "allowed": ("允许", "Allowed"),
    "refused": ("拒绝", "Refused"),
    "failed": ("失败", "Failed"),
}

VERDICTS: Mapping[VerdictKind, Pair] = {
    VerdictKind.WITNESSED: ("见证方已为这段历史作证", "Others vouch for this history"),
    VerdictKind.CONSISTENT: ("自洽，但除所有者外无人作证", "It fits together; nobody else vouches for it"),
    VerdictKind.STALE: ("自洽，但作证的时间已过久", "It fits together, but what vouches for it is too old"),
    VerdictKind.DIVERGED: ("与您持有的检查点矛盾", "It contradicts a checkpoint that you hold"),
    VerdictKind.INVALID: ("不自洽，或由其他密钥签名", "It does not fit together, or another key signed it"),
}

_NOT_PROVED_ZH: Mapping[VerdictKind, str] = {
    VerdictKind.WITNESSED: (
        "未能证明：发生过的一切都已入账；请对照每次会话两端的日志。见证范围之后的条目仍可能被改动。"
    ),
    VerdictKind.CONSISTENT: (
        "未能证明：这是日志的唯一版本，或发生过的一切都已入账；在您看到之前，其所有者可能已改写过日志。"
    ),
    VerdictKind.STALE: "未能证明：此后没有发生过任何事；更新的条目可能被扣留，或见证方被阻隔在外。",
    VerdictKind.DIVERGED: "未能证明：哪个版本是真实的；请将两份签名检查点一并留作证据。",
    VerdictKind.INVALID: "什么也没有证明：请勿采信本日志的任何条目。",
}

NOT_PROVED_PAIRS: Mapping[VerdictKind, Pair] = {
    kind: (_NOT_PROVED_ZH[kind], NOT_PROVED[kind]) for kind in VerdictKind
}

KIND_PAIRS: Mapping[str, Pair] = {
    name: (KINDS_ZH.get(name, ""), kind.meaning) for name, kind in KINDS.items()
}
"""What each kind of disclosure tells."""


def meaning(pairs: Mapping[str, Pair], word: str, lang: str) -> str:
    """The word's meaning; the word itself if it is a newer log's."""
    pair = pairs.get(word)
    return word if pair is None else pair[lang == "en"] or word
