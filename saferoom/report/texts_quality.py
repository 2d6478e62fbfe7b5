"""Words of the section on data quality, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

QUALITY_WORDS: Mapping[str, tuple[str, str]] = {
    "data_quality": ("数据质量", "Data quality"),
    "quality_of": ("{party} 的数据", "Data of {party}"),
    "as_of": ("数据截止日", "Data as of"),
    "default_definition": ("违约定义", "What counts as a default"),
    "not_stated": ("未注明", "not stated"),
    "not_stated_dataset": ("未注明（数据集登记时可填 as_of）", "not stated (as_of: of the data set)"),
    "not_stated_contract": (
        "合约未注明（起草时可填 default_definition）",
        "not stated in the contract (default_definition: of its draft)",
    ),
    "rows_way": ("行的去向", "What became of the rows"),
    "rows_read": ("读入", "read"),
    "ids_missing": ("剔除：无标识", "left out: no id"),
    "ids_invalid": ("剔除：标识无效", "left out: id not valid"),
    "ids_conflicting": ("剔除：同一标识内容冲突", "left out: rows of one id contradict each other"),
    "ids_repeated": ("剔除：重复行", "left out: repeated rows"),
    "rows_valid": ("标识有效", "with a valid id"),
    "rows_without_consent": ("剔除：无有效授权", "left out: no consent for this purpose on that day"),
    "rows_consented": ("有有效授权", "with a consent"),
    "rows_in_common": ("各方共有", "held by all parties"),
    "no_consent_asked": ("合约未要求逐户授权。", "The contract asks for no consents."),
    "rejected_note": (
        "剔除的行列于本方节点的 rejected.csv。",
        "Rows left out for their id are listed in rejected.csv at this party's node.",
    ),
    "columns_way": ("本方各列", "This party's columns"),
    "gaps": ("缺失率", "Gaps"),
    "vif": ("方差膨胀因子", "VIF"),
    "in_model": ("入模", "In the model"),
    "is_in": ("是", "yes"),
    "left_out_why": ("否：{why}", "no: {why}"),
    "no_gaps": ("各列均无缺失。", "No column has gaps."),
    "vif_note": (
        "方差膨胀因子在剔除符号相反的列之前算出：1 表示与其他列无关，高于 5 即应留意。",
        "Variance inflation factors were computed before columns with wrong signs were left out: at 1 no"
        " other column explains it; above 5, look twice.",
    ),
    "columns_more": (
        "其余 {count} 列均入模，缺失率不高于以上各列，未列出。",
        "{count} more columns are in the model and have no more gaps than these; they are not listed.",
    ),
    "others_way": ("其他参与方的列", "Other parties' columns"),
    "in_contract": ("合约列数", "Columns in the contract"),
    "prepared_in_model": ("入模列数（处理后）", "Columns in the model, as prepared"),
    "not_known": ("本方不知", "not known here"),
    "others_note": (
        "其他参与方的标识、缺失、剔除的列及原因留在各自节点，本报告不知：请查看各方自己的报告。"
        "处理后的列数可多于合约列数（每个类别一列、每列一个缺失指示列）。",
        "What the other parties' ids and gaps are like, and which columns they left out and why, stays with"
        " them: see their own reports. Prepared columns can be more than the contract's (one a category, one"
        " for the gaps).",
    ),
    "suspicious_iv": ("可疑", "suspicious"),
    "suspicious_iv_note": (
        "信息值高于 0.5 的特征很少见：请核实该列在违约发生之前即已知晓，并非由违约结果推出。",
        "An information value above 0.5 is rare: make sure that the column was known before the default and"
        " does not follow from it.",
    ),
}
