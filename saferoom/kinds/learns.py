"""Every kind of value that a node can learn in a job, how it might be abused, and how large it may be.

Protocols name these kinds when they disclose or reveal; contracts declare them; the log records them; a
test compares the three. What is not listed here cannot be disclosed. Contracts, reports and the console say
what stands here, in English and Chinese.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from saferoom.errors import UsageError

Extent: TypeAlias = Literal["one", "list", "rows", "asked", "scores", "counts"]
"""How large a disclosure may be, so that a check can hold it to the contract:

    one      a single number
    list     numbers in a row, never a table
    rows     a list over the rows that all parties hold: in training no shorter than the contract's minimum,
             in a score job no longer than was asked for
    asked    a list of enterprises asked for: no longer than the job's quota says
    scores   a list over scored rows: in a score job no longer than was asked for
    counts   a list, or a table with one column: counts of bins for each class, of which labels have one
"""


@dataclass(frozen=True, slots=True)
class Wording:
    """A disclosure in one language: `shape` in words, what it means, and the known ways to abuse it."""

    shape: str
    meaning: str
    abuse: str


NONE_KNOWN_EN, NONE_KNOWN_ZH = "none known", "尚无已知滥用方式"
"""The `abuse` of what cannot be abused in any known way."""


@dataclass(frozen=True, slots=True)
class DisclosureKind:
    """One kind of disclosure, by the `name` that contracts, code and log use."""

    name: str
    extent: Extent
    en: Wording
    zh: Wording

    def wording(self, lang: str) -> Wording:
        """Its words in `en` or `zh`. Raises UsageError for another language."""
        if lang == "en":
            return self.en
        if lang == "zh":
            return self.zh
        raise UsageError(f"disclosures are explained in en and zh, not {lang!r}")


_KINDS = (
    DisclosureKind(
        "set_sizes",
        "list",
        Wording(
            "parties × 1, and overlaps",
            "how many enterprises each party offers, and how the sets overlap, under pseudonyms",
            "the helper can compare sizes of the same party's sets over time",
        ),
        Wording(
            "各方各一个数,以及重合数",
            "各方提供多少家企业、各集合如何重合(均为假名)",
            "辅助服务可以比较同一方不同时间的集合大小",
        ),
    ),
    DisclosureKind(
        "intersection",
        "rows",
        Wording(
            "aligned rows",
            "which of its own enterprises every party holds",
            "membership in another party's customer base becomes known",
        ),
        Wording("对齐后的行数", "自己的企业中哪些是各方共有的", "可得知某企业是对方的客户"),
    ),
    DisclosureKind(
        "widths",
        "list",
        Wording("1 per party", "how many prepared columns each party brings", NONE_KNOWN_EN),
        Wording("每方一个数", "各方带来多少个处理后的列", NONE_KNOWN_ZH),
    ),
    DisclosureKind(
        "split",
        "rows",
        Wording("aligned rows", "which aligned rows are for training and which are held out", NONE_KNOWN_EN),
        Wording("对齐后的行数", "哪些行用于训练,哪些行留作检验", NONE_KNOWN_ZH),
    ),
    DisclosureKind(
        "coefficients",
        "list",
        Wording(
            "own prepared columns",
            "the coefficients of its own columns",
            "signs and sizes hint at how the other parties' columns correlate with its own",
        ),
        Wording("自己处理后的列数", "自己各列的系数", "系数的符号和大小暗示他方各列与自己各列的相关性"),
    ),
    DisclosureKind(
        "intercept",
        "one",
        Wording("1", "the model's intercept", NONE_KNOWN_EN),
        Wording("一个数", "模型的截距", NONE_KNOWN_ZH),
    ),
    DisclosureKind(
        "score",
        "scores",
        Wording(
            "scored rows",
            "the joint score of each enterprise",
            "with two parties the score minus its own part is the other's part; of trees it hints at leaves",
        ),
        Wording(
            "评分的行数",
            "每家企业的联合评分",
            "只有两方时,评分减去自己的部分就是对方的部分;对于提升树,评分暗示到达哪些叶",
        ),
    ),
    DisclosureKind(
        "points",
        "scores",
        Wording(
            "scored rows",
            "the joint points of each enterprise: the sum of all parties' scorecard tables",
            "with two parties the points minus its own are the other party's points",
        ),
        Wording(
            "评分的行数",
            "每家企业的联合评分卡分数(各方评分表分数之和)",
            "只有两方时,分数减去自己的部分就是对方的部分",
        ),
    ),
    DisclosureKind(
        "grades",
        "scores",
        Wording(
            "scored rows",
            "the grade of each enterprise: between which fixed cuts its joint score lies, and no score",
            "with two parties the cuts minus its own part are an interval that holds the other's part",
        ),
        Wording(
            "评分的行数",
            "每家企业的等级,即其联合评分位于哪两个固定切点之间;不含评分",
            "只有两方时,切点减去自己的部分就是对方部分所在的区间",
        ),
    ),
    DisclosureKind(
        "auc",
        "one",
        Wording(
            "1, of training and of held-out rows",
            "how well the joint scores part events from others: one number, computed on shares",
            NONE_KNOWN_EN,
        ),
        Wording("训练行、检验行各一个数", "联合评分区分违约与否的能力:在份额上算出的一个数", NONE_KNOWN_ZH),
    ),
    DisclosureKind(
        "range_check",
        "one",
        Wording(
            "1",
            "one bit: whether at most 0.2 % of the training scores lie beyond the sigmoid's range",
            NONE_KNOWN_EN,
        ),
        Wording("一个数", "一个比特:训练评分超出 S 形函数有效范围的是否不多于千分之二", NONE_KNOWN_ZH),
    ),
    DisclosureKind(
        "converged",
        "one",
        Wording(
            "1 a check",
            "one bit a check: whether the last pass moved every coefficient by less than a public bound; "
            "and so how many passes training took",
            "separated data, and columns that two parties both hold, take more passes",
        ),
        Wording(
            "每次检查一个数",
            "每次检查一个比特:最后一遍计算是否使每个系数的变动都小于公开的界限;由此也得知训练用了多少遍",
            "好坏分得很开的数据,或两方都持有的列,需要更多遍",
        ),
    ),
    DisclosureKind(
        "anonymous_events",
        "counts",
        Wording(
            "bins of a feature holder, shuffled",
            "how many events lie in a feature holder's bins, not knowing which bin is which; of each column's"
            " fullest bin a random part is left out",
            "the spread of the counts says how strongly the other party's columns go with default",
        ),
        Wording(
            "特征方的箱数(乱序)",
            "特征方各分箱里有多少违约,但不知道哪个箱是哪个;每列最大的分箱随机少计一部分行",
            "计数的离散程度暗示对方各列与违约的相关强弱",
        ),
    ),
    DisclosureKind(
        "bin_events",
        "counts",
        Wording(
            "own bins",
            "which of its own bins, and of those it puts together, hold the minimum of events, how many"
            " events lie in those that do, and in all rows",
            "the difference of two nearly equal bins of two columns is a count over few enterprises",
        ),
        Wording(
            "自己的箱数",
            "自己的哪些分箱(含自行合并的)达到最低违约数,达到者各有多少违约,以及全部行的违约数",
            "两列中几乎相同的两个箱,其计数之差是少数企业的违约数",
        ),
    ),
    DisclosureKind(
        "vif",
        "list",
        Wording(
            "WOE columns of all parties, each round",
            "how far each column, known by its position alone, is explained by the others together",
            "that some party's column nearly repeats others becomes known",
        ),
        Wording(
            "每轮各方 WOE 列的总数",
            "每一列(仅知其位置)在多大程度上可由其余各列解释",
            "可得知某方的某列与其他列高度重复",
        ),
    ),
    DisclosureKind(
        "left_out",
        "list",
        Wording(
            "1, each round",
            "which column, by position, is left out, or how many columns a party leaves out",
            NONE_KNOWN_EN,
        ),
        Wording("每轮一个数", "剔除哪一列(仅知其位置),或一方剔除多少列", NONE_KNOWN_ZH),
    ),
    DisclosureKind(
        "standard_errors",
        "list",
        Wording(
            "own WOE columns",
            "the standard errors of its own coefficients",
            "a large one says that other parties' columns nearly repeat its own",
        ),
        Wording("自己的 WOE 列数", "自己各系数的标准误", "标准误很大说明他方的列与自己的列高度重复"),
    ),
    DisclosureKind(
        "reason_codes",
        "list",
        Wording(
            "asked rows × reasons, and published names",
            "which features cost each asked enterprise most, by the names that their owners publish",
            "over many enterprises the codes show which features matter, and for whom they are poor",
        ),
        Wording(
            "查询的行数 × 原因数,以及公开的名称",
            "使每家被查询企业失分最多的特征(仅限其所有方同意公开的名称)",
            "积累多家企业的原因代码后,可看出哪些特征重要、哪些企业在其上较差",
        ),
    ),
    DisclosureKind(
        "split_sums",
        "list",
        Wording(
            "candidate splits of a feature holder at most, each tree",
            "sums of gradients, hessians and events left of each candidate split, in a secret order",
            "it knows each row's gradient, so a sum over few rows could tell which rows are in it",
        ),
        Wording(
            "每棵树:某特征方候选分裂数的上限",
            "每个节点中,每个候选分裂左侧各行的梯度、二阶梯度、违约数之和(次序保密)",
            "标签方知道每一行的梯度,若求和的行很少,就可推断其中有哪些行",
        ),
    ),
    DisclosureKind(
        "chosen_splits",
        "list",
        Wording(
            "own candidate splits at most, each tree",
            "which of its own candidate splits were taken, and in which node",
            "early and frequent splits say that a column goes strongly with default",
        ),
        Wording(
            "每棵树:自己候选分裂数的上限",
            "自己的哪些候选分裂被采用、用于哪个节点",
            "较早、较频繁的分裂说明该列与违约关系密切",
        ),
    ),
    DisclosureKind(
        "tree_rows",
        "list",
        Wording(
            "training rows, each tree",
            "which training rows each node of each tree holds",
            "rows that part lie on two sides of some party's split; rows of one leaf tend to default alike",
        ),
        Wording(
            "每棵树:训练行数",
            "每棵树的每个节点含有哪些训练行",
            "分开的行位于某一方某个分裂的两侧;同一叶中的行违约情况往往相近",
        ),
    ),
    DisclosureKind(
        "tree_shapes",
        "list",
        Wording("trees", "which trees the model keeps, and which leaves they have", NONE_KNOWN_EN),
        Wording("树的棵数", "模型保留哪些树,各有哪些叶", NONE_KNOWN_ZH),
    ),
    DisclosureKind(
        "split_values",
        "list",
        Wording(
            "own splits at most",
            "how the average log-odds on the two sides of each of its own splits differ",
            "they say how strongly, and which way, its own columns go with default; of many trees on few"
            " rows, which of them defaulted",
        ),
        Wording(
            "自己分裂数的上限",
            "自己每个分裂两侧的平均对数几率相差多少",
            "可看出自己的列与违约的关系有多强、方向如何;树很多而行很少时,可推断各训练行的标签",
        ),
    ),
    DisclosureKind(
        "query",
        "asked",
        Wording(
            "asked rows",
            "which of its enterprises the recipient asks scores for",
            "the feature holders see whom the bank is interested in",
        ),
        Wording("查询的行数", "对方查询了自己的哪些企业", "特征方看到银行关注哪些企业"),
    ),
)

DISCLOSURES: dict[str, DisclosureKind] = {kind.name: kind for kind in _KINDS}
