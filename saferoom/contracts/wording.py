"""What `explain` says, in English and Chinese."""

from __future__ import annotations

from typing import Literal, TypeAlias

from saferoom.kinds.base import Texts

Language: TypeAlias = Literal["en", "zh"]


def pick(texts: Texts, lang: Language) -> str:
    return texts[0] if lang == "en" else texts[1]


NO_ABUSE: Texts = ("none known", "尚无已知滥用方式")

KINDS_ZH: dict[str, tuple[str, str, str]] = {
    "set_sizes": (
        "各方各一个数,以及重合数",
        "各方提供多少家企业、各集合如何重合(均为假名)",
        "辅助服务可以比较同一方不同时间的集合大小",
    ),
    "intersection": ("对齐后的行数", "自己的企业中哪些是各方共有的", "可得知某企业是对方的客户"),
    "widths": ("每方一个数", "各方带来多少个处理后的列", NO_ABUSE[1]),
    "split": ("对齐后的行数", "哪些行用于训练,哪些行留作检验", NO_ABUSE[1]),
    "coefficients": ("自己处理后的列数", "自己各列的系数", "系数的符号和大小暗示他方各列与自己各列的相关性"),
    "intercept": ("一个数", "模型的截距", NO_ABUSE[1]),
    "score": (
        "评分的行数",
        "每家企业的联合评分",
        "只有两方时,评分减去自己的部分就是对方的部分;对于提升树,评分暗示到达哪些叶",
    ),
    "points": (
        "评分的行数",
        "每家企业的联合评分卡分数(各方评分表分数之和)",
        "只有两方时,分数减去自己的部分就是对方的部分",
    ),
    "range_check": ("一个数", "训练评分是否都在 S 形函数的有效范围内,拟合是否收敛", NO_ABUSE[1]),
    "anonymous_events": (
        "特征方的箱数(乱序)",
        "特征方每个分箱里有多少违约,但不知道哪个箱是哪个",
        "计数的离散程度暗示对方各列与违约的相关强弱",
    ),
    "bin_events": (
        "自己的箱数",
        "自己的哪些分箱达到最低违约数,以及合并后每箱的违约数",
        "两列中几乎相同的两个箱,其计数之差是少数企业的违约数",
    ),
    "vif": (
        "每轮各方 WOE 列的总数",
        "每一列(仅知其位置)在多大程度上可由其余各列解释",
        "可得知某方的某列与其他列高度重复",
    ),
    "left_out": ("每轮一个数", "剔除哪一列(仅知其位置),或一方剔除多少列", NO_ABUSE[1]),
    "standard_errors": (
        "自己的 WOE 列数",
        "自己各系数的标准误",
        "标准误很大说明他方的列与自己的列高度重复",
    ),
    "reason_codes": (
        "查询的行数 × 原因数,以及公开的名称",
        "使每家被查询企业失分最多的特征(仅限其所有方同意公开的名称)",
        "积累多家企业的原因代码后,可看出哪些特征重要、哪些企业在其上较差",
    ),
    "split_sums": (
        "每棵树:某特征方的候选分裂数",
        "每个节点中,每个候选分裂左侧各行的梯度、二阶梯度、违约数之和(次序保密)",
        "标签方知道每一行的梯度,若求和的行很少,就可推断其中有哪些行",
    ),
    "chosen_splits": (
        "每棵树:自己的候选分裂数",
        "自己的哪些候选分裂被采用、用于哪个节点",
        "较早、较频繁的分裂说明该列与违约关系密切",
    ),
    "tree_rows": (
        "每棵树:训练行数",
        "每棵树的每个节点含有哪些训练行",
        "分开的行位于某一方某个分裂的两侧;同一叶中的行违约情况往往相近",
    ),
    "tree_shapes": ("树的棵数", "模型保留哪些树,各有哪些叶", NO_ABUSE[1]),
    "split_values": (
        "自己的分裂数",
        "自己每个分裂两侧的平均对数几率相差多少",
        "可看出自己的列与违约的关系有多强、方向如何;树很多而行很少时,可推断各训练行的标签",
    ),
    "query": ("查询的行数", "对方查询了自己的哪些企业", "特征方看到银行关注哪些企业"),
}
"""Shape, meaning, abuse of each kind in `saferoom.protocols.learns.KINDS`."""

HEADINGS: dict[str, Texts] = {
    "purpose": ("Purpose", "用途"),
    "basis": ("Legal basis", "法律依据"),
    "until": ("Valid until", "有效期至"),
    "kept": (
        "Kept: what a job leaves is destroyed at every node {days} days after the job's end, when the"
        " contract ends, or when a party revokes it or orders it destroyed",
        "保存:作业留下的内容在作业结束 {days} 天后、合约到期时,或任一方撤销合约或要求销毁时,在各节点销毁",
    ),
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
