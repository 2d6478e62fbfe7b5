"""The report's words, in Chinese and English. A test holds both complete."""

from __future__ import annotations

from collections.abc import Mapping

from saferoom.errors import UsageError
from saferoom.report.texts_bearing import BEARING_WORDS
from saferoom.report.texts_quality import QUALITY_WORDS

LANGUAGES = ("zh", "en")

WORDS: Mapping[str, tuple[str, str]] = {
    **BEARING_WORDS,
    **QUALITY_WORDS,
    "html_lang": ("zh-CN", "en"),
    "subtitle": ("数据安全屋 · 联合信用模型报告", "SafeRoom · joint credit model report"),
    "made_at": ("生成时间", "Made at"),
    "version": ("版本", "Version"),
    "job": ("作业", "Job"),
    "model_kind": ("模型", "Model"),
    # key figures
    "joint_auc": ("联合 AUC（测试）", "Joint AUC (test)"),
    "alone_auc": ("单方 AUC（测试）", "Alone AUC (test)"),
    "gain_auc": ("AUC 提升", "AUC gain"),
    "joint_ks": ("联合 KS（测试）", "Joint KS (test)"),
    "aligned_rows": ("共同企业数", "Enterprises in common"),
    "log_check": ("日志核验", "Log check"),
    "all_well": ("通过", "passed"),
    "problems": ("发现问题", "problems found"),
    # data and contract
    "data_and_contract": ("数据与合约", "Data and contract"),
    "contract": ("合约", "Contract"),
    "purpose": ("用途", "Purpose"),
    "legal_basis": ("法律依据", "Legal basis"),
    "trust": ("信任模式", "Trust mode"),
    "valid_until": ("有效期至", "Valid until"),
    "minimum_rows": ("最少共同行数", "Minimum rows in common"),
    "digest": ("合约摘要 SHA-256", "Contract digest, SHA-256"),
    "party": ("参与方", "Party"),
    "organisation": ("机构", "Organisation"),
    "role": ("角色", "Role"),
    "label_holder": ("标签方", "label holder"),
    "feature_holder": ("特征方", "feature holder"),
    "data_set": ("数据集", "Data set"),
    "rows": ("行数", "Rows"),
    "columns": ("列数", "Columns"),
    "rows_used": (
        "共同企业 {aligned} 家：训练 {train} 家，测试 {test} 家。",
        "{aligned} enterprises held by all parties: {train} for training, {test} held out for testing.",
    ),
    "rates_used": (
        "违约率：训练 {train}，测试 {test}。",
        "Default rate: {train} in training, {test} in test.",
    ),
    # joint against alone
    "gain": ("联合与单方对比", "Joint against alone"),
    "gain_note": (
        "“单方”指标签方仅用自有列、在相同行上训练的模型。",
        "“Alone” is the label holder's model of its own columns on the same rows.",
    ),
    "lower_is_better": (
        "对数损失与 Brier 分数越低越好，其余越高越好。",
        "Log loss and Brier score are better when lower, the others when higher.",
    ),
    "metric": ("指标", "Metric"),
    "auc": ("AUC", "AUC"),
    "ks": ("KS 曲线", "KS curve"),
    "ks_name": ("KS", "KS"),
    "gini": ("基尼系数", "Gini"),
    "log_loss": ("对数损失", "Log loss"),
    "brier": ("Brier 分数", "Brier score"),
    "train": ("训练", "Train"),
    "test": ("测试", "Test"),
    "all": ("全部", "All"),
    "joint": ("联合", "Joint"),
    "alone": ("单方", "Alone"),
    "difference": ("测试提升", "Test gain"),
    "not_measured": ("无法计算（仅有一类标签）", "cannot be measured: one class only"),
    "roc": ("ROC 曲线（测试）", "ROC curve (test)"),
    "false_positive_rate": ("假阳性率（好企业误判）", "goods flagged"),
    "true_positive_rate": ("真阳性率（坏企业命中）", "bads caught"),
    "share_of_rows": ("企业占比（风险由高到低）", "share of enterprises, riskiest first"),
    "cumulative_share": ("累计占比", "cumulative share"),
    "bads": ("违约", "default"),
    "goods": ("正常", "no default"),
    # lift and calibration
    "lift_and_calibration": ("提升度与校准", "Lift and calibration"),
    "lift": ("提升度", "Lift"),
    "slice": ("十分位（风险由高到低）", "tenth of the enterprises, riskiest first"),
    "events": ("违约数", "Defaults"),
    "capture": ("累计捕获率", "Captured so far"),
    "calibration": ("校准曲线", "Calibration"),
    "predicted": ("预测违约率", "predicted default rate"),
    "observed": ("实际违约率", "observed default rate"),
    "calibration_line": (
        "校准直线：截距 {intercept}，斜率 {slope}（理想为 0 与 1）。",
        "Calibration line: intercept {intercept}, slope {slope} (0 and 1 are perfect).",
    ),
    "no_calibration_line": (
        "无校准直线：全部预测违约率相同。",
        "No calibration line: all predictions are the same.",
    ),
    # scores and grades
    "scores_and_grades": ("评分与等级", "Scores and grades"),
    "distribution": ("评分分布", "Distribution of points"),
    "points": ("评分", "points"),
    "share": ("占比", "share"),
    "grade": ("等级", "Grade"),
    "grade_chart": ("各等级违约率", "Default rate per grade"),
    "meaning": ("含义", "Meaning"),
    "cut": ("分界", "Cut"),
    "mean_pd": ("平均预测违约率", "Mean predicted rate"),
    "default_rate": ("违约率", "Default rate"),
    "supervision": ("差异化监管措施", "What follows"),
    "grades_on": ("统计范围：{rows}行。", "Rows graded: {rows}."),
    "score_stability": (
        "评分稳定性指数（训练对测试）：{value}（低于 0.1 为稳定，高于 0.25 为明显偏移）。",
        "Stability index of the score, train to test: {value} (below 0.1: stable; above 0.25: shifted).",
    ),
    "grade_stability": (
        "等级稳定性指数（训练对测试）：{value}（低于 0.1 为稳定，高于 0.25 为明显偏移）。",
        "Stability index of the grades, train to test: {value} (below 0.1: stable; above 0.25: shifted).",
    ),
    "grades_alone": (
        "合约只发布等级：任何一方都没有得知评分，因此没有曲线，也没有评分分布。"
        "联合 AUC 在份额上算出，同一格（1/8 对数几率）内的评分视为相等，误差一般小于 0.001。",
        "The contract releases grades alone: nobody learnt a score, so there are no curves and no"
        " distribution. The joint AUC was computed on shares; scores within one step of an eighth of a"
        " log-odd count as equal, an error below 0.001 as a rule.",
    ),
    # coefficients
    "coefficients": ("系数", "Coefficients"),
    "coefficients_note": (
        "系数对应各方本地预处理后的列；正值表示违约风险升高。仅列出合约允许本报告读者查看的系数。",
        "Of the columns as each party prepared them; above 0 raises the risk. Only what this reader may see.",
    ),
    "column": ("列", "Column"),
    "coefficient": ("系数", "Coefficient"),
    "intercept": ("截距", "Intercept"),
    "not_shown": (
        "其余 {count} 列绝对值更小，未列出。",
        "{count} more with smaller coefficients are not listed.",
    ),
    # trees
    "importance": ("特征重要性", "Importance of features"),
    "importance_note": (
        "共 {trees} 棵树。“经过行数”为各棵树中经过该特征各分裂点的训练行数之和；"
        "只有标签方知道增益。仅列出本方特征。",
        "{trees} trees. Rows: training rows that pass a feature's splits, in all trees. Gain is known to the"
        " label holder alone. Only this party's features are shown.",
    ),
    "gain_by_party": ("各方分裂的增益", "Gain of each party's splits"),
    "splits": ("分裂次数", "Splits"),
    "cover": ("经过行数", "Rows"),
    "split_gain": ("增益", "Gain"),
    "features_not_shown": (
        "其余 {count} 个特征更不重要，未列出。",
        "{count} less important ones are not listed.",
    ),
    # scorecard
    "card": ("评分卡", "Scorecard"),
    "card_note": (
        "企业总分 = 基础分 + 各方各特征得分之和；仅列出本方的评分表。"
        "WOE = ln(好企业占比 / 坏企业占比)，越高越好。",
        "Total = base points + the points of every party's features; only this party's table is shown here."
        " WOE = ln(share of goods / share of bads): higher is better.",
    ),
    "base_points": ("基础分", "base points"),
    "feature": ("特征", "Feature"),
    "bin": ("分箱", "Bin"),
    "bins": ("箱数", "Bins"),
    "woe": ("WOE", "WOE"),
    "card_points": ("分数", "Points"),
    "iv": ("信息值 IV", "Information value"),
    "iv_counted": ("合并前 IV", "IV before merging"),
    "iv_lost_to_trend": ("其中因趋势损失", "of which lost to the trend"),
    "wrong_sign": ("符号相反", "wrong sign"),
    "wrong_signs_note": (
        "以下特征的系数符号相反：违约率高的分箱反而加分。请去掉这些特征后重新训练，或不采用本评分卡：",
        "These features have the wrong sign: bins with more defaults earn more points. Leave them out and"
        " train again, or do not use this table of points:",
    ),
    "estimated_note": (
        "≈ 该分箱的违约数未予告知（低于最低数，或其中含有低于最低数的分箱），此处为估计值。",
        "≈ nobody told this bin's number of defaults: it is below the minimum, or hides one that is. It is"
        " estimated.",
    ),
    "joined": ("未能单独成箱", "Without a bin of their own"),
    "joined_with": ("并入", "joined"),
    "left_out": ("未入模的列", "Columns left out"),
    "reason": ("原因", "Why"),
    "defaults": ("违约数", "Defaults"),
    "rows_in_bin": ("行数", "Rows"),
    "iv_chart": ("各特征信息值", "Information value of the features"),
    "p_value": ("p 值", "p-value"),
    "points_range": ("分差", "Range of points"),
    "stability": ("稳定性指数", "Stability index"),
    "stability_note": (
        "特征稳定性指数为训练行对测试行；低于 0.1 为稳定，高于 0.25 为明显偏移。",
        "Stability of the features from training to test rows; below 0.1: stable, above 0.25: shifted.",
    ),
    # disclosures and log
    "disclosures": ("披露清单", "Disclosures"),
    "disclosures_note": (
        "以下为本方日志记录的、本作业中本方得知及告知他人的全部内容；其他节点彼此告知的内容见其各自日志。",
        "All that this party learnt in this job, and all that it told others, from its log. What the others"
        " told each other stands in theirs.",
    ),
    "kind": ("种类", "Kind"),
    "to": ("接收方", "Learnt by"),
    "what": ("内容", "What"),
    "shape": ("规模", "Shape"),
    "times": ("次数", "Times"),
    "log": ("日志核验结果", "Verdict on the logs"),
    "node": ("节点", "Node"),
    "entries": ("条目数", "Entries"),
    "root": ("树根", "Root"),
    "verdict": ("结论", "Verdict"),
    # effort
    "effort": ("耗时与流量", "Time and traffic"),
    "phase": ("阶段", "Phase"),
    "seconds": ("秒", "Seconds"),
    "bytes": ("流量", "Sent"),
    "sender": ("发送方", "From"),
    "receiver": ("接收方", "To"),
    "phase_load": ("读取", "load"),
    "phase_align": ("对齐", "align"),
    "phase_prepare": ("预处理", "prepare"),
    "phase_bin": ("分箱", "bin"),
    "phase_train": ("训练", "train"),
    "phase_evaluate": ("评估", "evaluate"),
    "phase_release": ("发布", "release"),
    "phase_points": ("分数", "points"),
    "phase_grades": ("等级", "grades"),
    "phase_store": ("保存", "store"),
    "phase_report": ("报告", "report"),
    "phase_score": ("评分", "score"),
    "phase_total": ("合计", "total"),
    "footer": (
        "原始数据未离开各参与方；本页不含任何企业的数据。",
        "No party's rows left it; this page holds no enterprise's data.",
    ),
}


def words(lang: str) -> dict[str, str]:
    """All texts in one language. Raises UsageError for a language that is not here."""
    if lang not in LANGUAGES:
        raise UsageError(f"reports speak {' and '.join(LANGUAGES)}, not {lang!r}")
    place = LANGUAGES.index(lang)
    return {key: texts[place] for key, texts in WORDS.items()}
