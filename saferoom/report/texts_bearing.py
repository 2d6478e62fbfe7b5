"""Words of intervals, tests and verdicts, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

BEARING_WORDS: Mapping[str, tuple[str, str]] = {
    "what_they_bear": ("这些数字说明什么", "What the figures bear"),
    "marks_note": (
        "✓ 有统计检验支持；✗ 存在问题；· 数据不足以判断。所有检验均假定各企业的违约相互独立，显著性水平 5%。",
        "✓ a test supports it; ✗ something is wrong; · the rows cannot tell. All tests are at the 5 % level"
        " and take enterprises to default independently of each other.",
    ),
    "interval": ("95% 区间", "95 % interval"),
    "intervals": ("估计值与 95% 置信区间", "Estimates with 95 % intervals"),
    "intervals_on": (
        "统计范围：{rows_of}行，共 {rows} 家，其中违约 {events} 家。",
        "On the {rows_of} rows: {rows} enterprises, {events} of them defaults.",
    ),
    "few_caution": (
        "较少的一类不足 10 家：不应据此下任何结论。",
        "Fewer than 10 in the smaller class: nothing should be concluded.",
    ),
    "few_short": ("样本不足", "too few to judge"),
    "from_to": ("{low} 至 {high}", "{low} to {high}"),
    "gain_short": ("提升", "Gain"),
    "grade_ks": ("等级 KS", "KS of the grades"),
    "p_of_gain": ("提升的 p 值", "p-value of the gain"),
    "how": ("方法", "How"),
    "method_delong": ("DeLong 法（AUC）", "DeLong (AUC)"),
    "method_hanley_mcneil": ("Hanley–McNeil 近似（AUC）", "Hanley and McNeil's approximation (AUC)"),
    "method_bootstrap": ("按计数重抽样 400 次（KS）", "400 draws of counts (KS)"),
    "method_independent": (
        "提升按相互独立计算，区间因而偏宽",
        "gain as if both were independent, which makes its interval too wide",
    ),
    "fit": ("拟合检验", "Test of fit"),
    "fit_line": (
        "Hosmer–Lemeshow 检验：统计量 {statistic}，{groups} 组，自由度 {degrees}，{p}。",
        "Hosmer–Lemeshow: statistic {statistic}, {groups} groups, {degrees} degrees of freedom, {p}.",
    ),
    # grades
    "promised": ("承诺违约率", "Promised rate"),
    "promise_up_to": ("≤ {high}", "≤ {high}"),
    "promise_above": ("> {low}", "> {low}"),
    "verdict_kept": ("兑现", "kept"),
    "verdict_above": ("高于承诺", "more than promised"),
    "verdict_below": ("低于承诺", "less than promised"),
    "verdict_outside": ("超出承诺，或属偶然", "outside, may be chance"),
    "verdict_open": ("未定", "open"),
    "verdict_few": ("样本不足", "too few"),
    "verdict_empty": ("空", "empty"),
    "prediction_off": ("与预测不符", "prediction off"),
    "no_rows": ("无企业", "none"),
    "promise_note": (
        "区间为 Wilson 95% 区间。兑现与否按精确二项检验（单侧 5%）对照等级分界所承诺的违约率范围；"
        "“与预测不符”指实际违约数与平均预测违约率相差超出偶然（精确二项检验，双侧 5%）。",
        "Intervals are Wilson's, of 95 %. Whether a promise is kept: exact binomial tests (one-sided, 5 %)"
        " against the range of rates that the cuts name. “Prediction off”: the defaults differ from the mean"
        " predicted rate beyond chance (exact binomial test, two-sided, 5 %).",
    ),
    "chart_note": (
        "竖线为 95% 区间，浅色带为承诺范围。",
        "Lines are 95 % intervals, pale bands the promised range.",
    ),
    "no_tests": (
        "本模型由较早版本训练，没有区间和检验：不对等级下结论。",
        "An earlier version made this model, without intervals and tests: nothing is concluded about grades.",
    ),
    # logs
    "own_log_only": ("仅本方", "own log only"),
    "log_not_seen": ("未查看", "not looked at"),
    "log_cosigned": (
        "日志本身未查看；本方曾作为见证方联署其上述检查点",
        "not looked at; this party cosigned that checkpoint as a witness",
    ),
    "logs_note": (
        "本方只核验了自己的日志，其余节点的日志未查看：“通过”不代表其他节点的日志也成立。"
        "完整核验需取得各节点导出的日志，用 saferoom audit verify 检查，"
        "用 saferoom audit reconcile 相互对照。",
        "Only this party's own log was checked, the others' were not looked at: that it passed says nothing"
        " about theirs. For the whole, take every node's exported log, check each with saferoom audit verify,"
        " and compare them with saferoom audit reconcile.",
    ),
    "logs_all_note": (
        "以上为出具报告时对各节点日志的完整核验结果。",
        "All nodes' logs were checked in full when the report was made.",
    ),
}
