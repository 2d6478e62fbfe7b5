"""The console's own sentences, in Chinese and English. Tests hold them complete and used."""

from __future__ import annotations

from collections.abc import Mapping

from saferoom.console.words import Pair

LANGUAGES = ("zh", "en")

TEXTS: Mapping[str, Pair] = {
    "html_lang": ("zh-CN", "en"),
    # frame
    "product": ("数据安全屋", "SafeRoom"),
    "console": ("审计控制台", "Audit console"),
    "skip": ("跳到正文", "Skip to the page"),
    "pages": ("页面", "Pages"),
    "read_only": ("只读", "Read only"),
    "read_only_long": (
        "控制台以只读方式打开日志，不写入任何内容。",
        "Logs are opened read only; nothing is written.",
    ),
    "leave": ("退出", "Log out"),
    "footer": (
        "页面内容直接读自日志文件，每个条目的证明在本次请求中重新核验。本页不含任何企业的数据。",
        "What you see was read from the log files, and every entry was proved, in this request. "
        "No enterprise's data is on this page.",
    ),
    "times_in_utc": ("时间均为 UTC", "times are UTC"),
    "nav_verdict": ("结论", "Verdict"),
    "nav_logs": ("日志与见证", "Logs and witnesses"),
    "nav_contracts": ("合约", "Contracts"),
    "nav_jobs": ("作业", "Jobs"),
    "nav_search": ("检索", "Search"),
    "nav_lifecycle": ("生命周期", "Life cycle"),
    "nav_export": ("导出", "Export"),
    # login
    "login": ("登录", "Log in"),
    "login_long": (
        "请输入启动控制台的终端所显示的一次性口令。口令用后即废，终端会显示下一个。",
        "Enter the one-time token shown at the terminal that started the console. It is void once used; "
        "the terminal then shows the next.",
    ),
    "token": ("一次性口令", "One-time token"),
    "enter": ("进入", "Enter"),
    "wrong_token": (
        "口令不正确或已被使用。请使用终端上最新显示的口令。",
        "This token is wrong or was used. Take the newest one from the terminal.",
    ),
    # verdict
    "checking": ("核验中", "CHECKING"),
    "checking_long": (
        "正在从存储的字节重新计算全部日志",
        "All logs are being recomputed from their stored bytes",
    ),
    "checking_not_proved": ("结论未出之前，请勿采信。", "Rely on nothing until the verdict is there."),
    "unreadable_log": ("有日志无法读取", "A log cannot be read"),
    "gravest": (
        "以上为所有日志中最严重的结论；各日志结论见下表。",
        "This is the gravest of all logs' verdicts; each log's own stands below.",
    ),
    "log": ("日志", "Log"),
    "verdict": ("结论", "Verdict"),
    "entries": ("条目", "Entries"),
    "key": ("验证密钥", "Verifier key"),
    "key_yours": ("由您提供", "given by you"),
    "key_own_word": ("日志自称", "the log's own word"),
    "key_own_word_long": (
        "密钥取自日志本身，其所有者未经证明。请向对方当面索取密钥，并以 --key 提供。",
        "Taken from the log itself, so its owner is not proved. Get it from its owner; give it with --key.",
    ),
    "newest_entry": ("最新条目", "Newest entry"),
    "checked_at": ("核验时间", "Checked at"),
    "since_check": ("核验后新增 {count} 条", "{count} more since the check"),
    "more_faults": ("另有 {count} 项问题", "and {count} faults more"),
    "check_again": ("重新核验", "Check again"),
    "command_long": (
        "在任何机器上都能重做本次核验的命令",
        "The command that repeats this check on any machine",
    ),
    "activity": ("概况", "At a glance"),
    "activity_long": ("各时段的条目数", "Entries over time"),
    "disclosures": ("披露", "Disclosures"),
    "refused": ("被拒绝", "Refused"),
    "failed": ("失败", "Failed"),
    "nothing": ("没有相符的内容。", "There is nothing to show."),
    # entries
    "time": ("时间", "Time"),
    "entry": ("条目", "Entry"),
    "what": ("事件", "What"),
    "details": ("详情", "Details"),
    "contract": ("合约", "Contract"),
    "outcome": ("结果", "Outcome"),
    "proof": ("证明", "Proof"),
    "proved": ("已证明", "proved"),
    "proved_long": (
        "条目 {index} 已证明位于 {size} 条目的签名树中",
        "entry {index} was proved to stand in the signed tree of {size} entries",
    ),
    "not_proved_badge": ("未证明", "not proved"),
    "bad_form": ("格式不符", "bad form"),
    "bad_form_long": ("本条目不符合日志格式：", "This entry is not what the log's schema allows:"),
    "unreadable": ("无法读取的条目", "An entry that cannot be read"),
    "by": ("由", "by"),
    "for_person": ("（{who}）", "({who})"),
    "messages": ("{count} 条消息", "messages: {count}"),
    "columns_count": ("{count} 列", "{count} columns"),
    "rows_count": ("{count} 行", "{count} rows"),
    "model": ("模型", "model"),
    "subject": ("主体承诺", "subject"),
    "entry_before": ("上一条", "Entry before"),
    "entry_after": ("下一条", "Entry after"),
    "what_it_says": ("条目内容", "What it says"),
    "exact_bytes": ("原始字节", "Exact bytes"),
    "exact_bytes_long": (
        "计入哈希的正是这 {count} 个字节（RFC 8785 规范 JSON）。",
        "These {count} bytes are what was hashed (RFC 8785 canonical JSON).",
    ),
    "download": ("下载", "Download"),
    "check_leaf": ("由原始字节计算叶哈希：", "Leaf hash, computed from the exact bytes:"),
    "check_path": (
        "沿证明路径 {steps} 步到达 {size} 条目的树根。",
        "{steps} steps up the proof path lead to the root over {size} entries.",
    ),
    "show_path": ("查看证明路径", "Show the proof path"),
    "leaf": ("叶", "leaf"),
    "root": ("树根", "Root"),
    "check_signature": ("该树根由 {origin} 的密钥签名：", "The root is signed by the key of {origin}:"),
    "cosigned_by": ("见证签名：", "Cosigned by"),
    "no_cosigners": ("没有见证方为该检查点签名。", "No witness cosigned this checkpoint."),
    "not_proved_long": ("本条目未能证明：", "This entry could not be proved:"),
    "recheck": ("自行复核", "Check it yourself"),
    "recheck_long": (
        "以下命令重做同样的核验，不依赖本控制台：",
        "This command repeats the check without the console:",
    ),
    "proof_not_proved": (
        "证明只说明该条目在此树中；日志整体是否自洽、是否唯一，见结论页。",
        "The proof says that the entry stands in this tree; whether the log is whole and the only version, "
        "the verdict says.",
    ),
    # logs
    "logs_intro": (
        "每个节点各有一份日志。控制台只信任您提供的验证密钥。",
        "Every node keeps a log of its own. The console trusts the keys that you bring, and nothing else.",
    ),
    "origin": ("日志来源", "Origin"),
    "file": ("文件", "File"),
    "size": ("条目数", "Size"),
    "entries_count": ("{count} 条", "{count} entries"),
    "checkpoints_count": ("{count} 个检查点", "{count} checkpoints"),
    "newest_checkpoint": ("最新检查点", "Newest checkpoint"),
    "take_home": (
        "请每次带走最新检查点，下次以 --seen 提供：任何改写都会暴露。",
        "Take it home each time and hand it in next time with --seen: any rewriting then shows.",
    ),
    "witnesses": ("见证", "Witnesses"),
    "witness": ("见证方", "Witness"),
    "cosigned_at": ("见证签名时间", "Cosigned at"),
    "no_witnesses": (
        "没有见证签名：除所有者外，无人为该历史作证。",
        "There are no cosignatures: nobody but its owner vouches for this history.",
    ),
    "seen_by_others": ("其他日志所见的检查点", "Checkpoints that other logs saw"),
    "seen_by_others_long": (
        "其他节点在各自日志中记下了所见的本日志检查点；此处与本日志重新计算的树根逐一比对。",
        "Other nodes wrote down which checkpoints of this log they saw; each is compared with this file.",
    ),
    "by_log": ("记录于", "Written in"),
    "agrees": ("是否一致", "Agrees"),
    "agrees_yes": ("一致", "same root"),
    "agrees_no": ("矛盾：历史被改写", "contradicts: history was changed"),
    # contracts
    "purpose": ("用途", "Purpose"),
    "hash": ("合约哈希", "Contract hash"),
    "approvals": ("批准", "Approvals"),
    "last_activity": ("最近活动", "Last activity"),
    "contract_revoked": ("已撤销", "revoked"),
    "contract_expired": ("已到期", "expired"),
    "hashes_differ": ("哈希不一致", "hashes differ"),
    "hashes_differ_long": (
        "各日志对该编号记录了不同的合约哈希：各方签署的并非同一文本。",
        "The logs name different hashes under this id: the parties did not sign one text.",
    ),
    "state": ("状态", "State"),
    "in_logs": ("日志中", "In the logs"),
    "entries_in_logs": ("{logs} 份日志中的 {entries} 条", "{entries} entries in {logs} logs"),
    "see_all": ("查看全部", "see all"),
    "who_approved": ("谁批准了什么", "Who approved what"),
    "who": ("经办", "Who"),
    "party": ("参与方", "Party"),
    "who_learnt": ("谁得知了什么", "Who learnt what"),
    "who_learnt_long": (
        "按日志中的披露条目统计。每次披露在发送之前入账；数字为各日志记录的次数。",
        "Counted from the disclosures in the logs. Each was written before it was sent; "
        "the numbers say how often each log tells it.",
    ),
    "learnt_by": ("得知方", "Learnt by"),
    "learnt_what": ("内容", "What"),
    "shape": ("规模", "Shape"),
    "told_by": ("{party} 的日志", "{party}'s log"),
    "first_and_last": ("最早与最晚", "First and last"),
    "nothing_learnt": ("日志中没有披露。", "The logs hold no disclosure."),
    # jobs
    "jobs_intro": (
        "每个作业的条目并列各方日志；两端对不上的会话以红色及 ≠ 标出。",
        "For each job the entries of all logs stand side by side; what does not match is red and marked ≠.",
    ),
    "job": ("作业", "Job"),
    "began": ("开始", "Began"),
    "ended": ("结局", "Ended"),
    "not_ended": ("未结束", "not ended"),
    "logs_count": ("日志", "Logs"),
    "side_by_side": ("各方日志并列", "All logs side by side"),
    "side_by_side_long": (
        "一方称已发送的，须与另一方称已收到的摘要一致。另一端日志未打开时无法比对。",
        "What one end says it sent must have the digest of what the other says it received. "
        "Where the other end's log is not opened, nothing can be compared.",
    ),
    "all_rows": ("全部", "All"),
    "matched": ("两端一致", "matched"),
    "unmatched": ("不匹配", "unmatched"),
    "not_compared": ("无法比对", "not compared"),
    "both_ends": ("两端", "Both ends"),
    "sent": ("发送", "sent"),
    "received": ("收到", "received"),
    "relayed": ("转发", "relayed"),
    "left_out": ("另有 {count} 条未并列显示。", "{count} more entries are not laid side by side."),
    "why_differ": ("两端所记不同", "the two ends differ"),
    "why_missing": ("{who} 的日志中没有", "missing in {who}'s log"),
    "why_closed": ("{who} 的日志未打开", "{who}'s log is not opened"),
    # search
    "any": ("不限", "any"),
    "type": ("事件", "Event"),
    "stage": ("阶段", "Stage"),
    "actor": ("经办", "Actor"),
    "dataset": ("数据集", "Data set"),
    "since": ("自", "From"),
    "until": ("至", "To"),
    "find": ("检索", "Search"),
    "clear_filters": ("清除条件", "Clear"),
    "found": ("{count} 条", "{count} entries"),
    "found_in": ("（共 {count} 条）", "of {count}"),
    "drop_filter": ("去掉此条件", "Drop this filter"),
    "export_these": ("导出这些条目", "Export these"),
    "filtered_note": (
        "筛选结果不证明完整：未显示的条目可能存在。",
        "A filtered list does not prove that it is complete.",
    ),
    "filter_log": ("日志", "log"),
    "filter_since": ("自", "from"),
    "filter_until": ("至", "to"),
    "filter_party": ("参与方", "party"),
    "filter_actor": ("经办", "actor"),
    "filter_contract": ("合约", "contract"),
    "filter_purpose": ("用途", "purpose"),
    "filter_dataset": ("数据集", "data set"),
    "filter_session": ("作业", "job"),
    "filter_type": ("事件", "event"),
    "filter_stage": ("阶段", "stage"),
    "filter_outcome": ("结果", "outcome"),
    "filter_kind": ("披露种类", "disclosure"),
    "filter_to": ("得知方", "learnt by"),
    "filter_subject": ("主体承诺", "subject"),
    "pages_of_list": ("翻页", "Pages of the list"),
    "close": ("关闭", "Close"),
    "first": ("首页", "first"),
    "previous": ("上一页", "previous"),
    "next": ("下一页", "next"),
    "last": ("末页", "last"),
    "page_of": ("第 {page} 页，共 {pages} 页", "page {page} of {pages}"),
    # life cycle
    "lifecycle_intro": (
        "一份合约下的数据按六个阶段排列：归集、传输、存储、使用、共享、销毁。",
        "What happened to the data under one contract, by the six stages from collection to destruction.",
    ),
    "show": ("查看", "Show"),
    "nothing_yet": ("尚无条目", "nothing yet"),
    "nothing_in_stage": ("日志中没有本阶段的条目。", "The logs hold no entry of this stage."),
    "all_of_stage": ("查看本阶段全部 {count} 条", "See all {count} of this stage"),
    # export
    "export_whole": ("整份日志", "Whole logs"),
    "export_whole_long": (
        "从第 0 条起的全部条目，逐字节原样。整份连续的日志才能证明没有遗漏。",
        "All entries from the first, byte by byte. Only a contiguous log proves that nothing was left out.",
    ),
    "export_command": (
        "要得到可离线核验的文件夹（含全部检查点），请运行：",
        "For a folder that verifies offline, with all checkpoints, run:",
    ),
    "export_selection": ("筛选结果", "A selection"),
    "export_selection_long": (
        "筛选导出不完整：它不证明没有其他条目。导出文件首行亦有说明。",
        "A filtered export is not complete: it does not prove that there are no other entries. "
        "The file says so too.",
    ),
    "no_filters": ("没有条件：全部条目", "no filters: all entries"),
    "change_filters": ("更改条件", "change the filters"),
    "format_jsonl": ("每行一个条目，逐字节原样", "one entry a line, exact bytes"),
    "format_csv": ("表格；公式字符已失效处理", "a table; formula characters neutralised"),
    "selection_note": (
        "saferoom 筛选导出，不完整",
        "A selection made by the saferoom audit console: not complete, proves nothing about other entries",
    ),
    # errors
    "error": ("出错了", "Something is wrong"),
    "not_found": ("没有这个页面或条目", "There is no such page or entry"),
}


def texts(lang: str) -> dict[str, str]:
    """All sentences in one language."""
    place = LANGUAGES.index(lang)
    return {key: pair[place] for key, pair in TEXTS.items()}
