"""What `explain` says besides the words of `kinds.learns`, in English and Chinese."""

from __future__ import annotations

from typing import Literal, TypeAlias

from saferoom.kinds.base import Texts

Language: TypeAlias = Literal["en", "zh"]


def pick(texts: Texts, lang: Language) -> str:
    return texts[0] if lang == "en" else texts[1]


HEADINGS: dict[str, Texts] = {
    "purpose": ("Purpose", "用途"),
    "basis": ("Legal basis", "法律依据"),
    "until": ("Valid until", "有效期至"),
    "default": ("What counts as default", "违约定义"),
    "kept": (
        "Kept: what a job leaves is destroyed at every node {days} days after the job's end, when the"
        " contract ends, or when a party revokes it or orders it destroyed",
        "保存:作业留下的内容在作业结束 {days} 天后、合约到期时,或任一方撤销合约或要求销毁时,在各节点销毁",
    ),
    "rounded": (
        "Rounded up or down by chance before anybody learns them: scores to steps of {step:g} log-odds",
        "公布之前先随机向上或向下取整:评分的步长为 {step:g}(对数几率)",
    ),
    "rounded_points": (", points to steps of {step:g}", ",评分卡分数的步长为 {step:g} 分"),
    "columns": ("Columns brought in, none of which leaves its party:", "各方投入的列(均不离开本方):"),
    "learns": ("{who} learns", "{who} 将得知"),
    "shape": ("shape", "形状"),
    "abuse": ("could be abused", "可能的滥用"),
    "nothing_else": (
        "Nothing else is disclosed: a node refuses whatever is not in this list.",
        "除此之外不披露任何内容:不在此表中的一律被节点拒绝。",
    ),
    "witnessing": (
        "Each node's audit log is vouched for by {quorum} of {witnesses}, its owner not counted",
        "每个节点的审计日志须由 {witnesses} 中的 {quorum} 方见证(日志所有者自己不计)",
    ),
    "assumes": ("Holds only if", "以下假设成立时才安全"),
    "warnings": ("Think about before signing", "签署前请考虑"),
}

NO_OWN_FEATURES: Texts = (
    "{party} brings no feature of its own: scores are made of the other parties' columns alone",
    "{party} 自己没有特征列:其得到的评分完全由他方的列构成",
)
SINGLE_QUERIES: Texts = (
    "single enterprises can be scored, up to {limit} a day: many queries on one enterprise show how its"
    " score moves when the data change",
    "可逐户查询评分(每日至多 {limit} 次):对同一企业多次查询可看出其评分随数据的变化",
)
NO_CONSENT: Texts = (
    "no consent of the enterprises is required for the rows of {parties}",
    "{parties} 的数据行不要求企业授权",
)
VERSION: Texts = (
    "no version of the data is pinned for {parties}: the data may change while the contract is in force",
    "{parties} 的数据集未固定版本:合约有效期内数据可能变化",
)
