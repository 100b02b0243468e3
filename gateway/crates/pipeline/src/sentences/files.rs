//! Files and stores: why they do not count at once.

use super::Said;

const fn said(word: &'static str, what: [&'static str; 2], mend: [&'static str; 2]) -> Said {
    Said { word, what, mend }
}

/// In the order of docs/errors.md, *Files*.
pub(super) const ALL: &[Said] = &[
    said(
        "all_zero",
        ["the store had stock, and now everything is zero", "该店原来有库存，现在全部为零"],
        [
            "If the store is really empty, confirm; else discard and export again.",
            "如果确实清空，请确认；否则请作废并重新导出。",
        ],
    ),
    said(
        "bad_encoding",
        ["the file is not in the encoding that the mapping names", "文件的编码与映射文件写的不一致"],
        [
            "Save or export it as before, or look at it with `qudao onboard FILE`.",
            "请按以前的方式导出，或用 `qudao onboard 文件` 重新识别。",
        ],
    ),
    said(
        "control_total_mismatch",
        ["the total at the end is not the sum of the rows", "末尾的合计与各行之和不一致"],
        ["Rows are missing or were changed. Export again.", "有行缺失或被改动，请重新导出。"],
    ),
    said(
        "empty",
        ["there is no row in the file", "文件里没有数据行"],
        [
            "An export that failed looks like this. Export again, or discard.",
            "导出失败时就是这样。请重新导出，或作废。",
        ],
    ),
    said(
        "first_snapshot",
        ["these are the first figures ever of this store", "这是该店的第一份库存"],
        ["Compare a few SKUs with the shelf, then confirm once.", "请抽查几个货号与实物核对，然后确认一次。"],
    ),
    said(
        "format_mismatch",
        ["the file is of another kind than the mapping says", "文件的类型与映射文件写的不一致"],
        [
            "Look at it with `qudao onboard FILE`; a workbook renamed to .csv is still a workbook.",
            "请用 `qudao onboard 文件` 查看；把工作簿改名为 .csv，它仍然是工作簿。",
        ],
    ),
    said(
        "missing_column",
        ["a column that the mapping reads is not in the file", "映射文件要读的列在文件里找不到"],
        [
            "The ERP's report was changed. Change it back, or correct the mapping.",
            "ERP 的报表改过。请改回来，或修改映射文件。",
        ],
    ),
    said(
        "missing_total",
        ["the file should end with a total, and does not", "文件末尾应有合计行，但没有"],
        ["It was probably cut while it was copied. Export again.", "文件很可能在复制时被截断，请重新导出。"],
    ),
    said(
        "record_count_mismatch",
        ["the file says how many records it has, and has another number", "文件写明的记录数与实际不符"],
        ["It was probably cut while it was copied. Export again.", "文件很可能在复制时被截断，请重新导出。"],
    ),
    said(
        "shrink",
        ["the store lists far fewer SKUs than before", "该店的货号比上次少了很多"],
        [
            "If that is right, confirm; else discard and export the whole list.",
            "如果属实，请确认；否则请作废，并重新导出完整清单。",
        ],
    ),
    said(
        "stale_snapshot",
        ["the figures are older than those that count already", "这份库存比已经生效的还旧"],
        ["Nothing to do; send the newest export.", "无需处理，请发送最新的导出文件。"],
    ),
    said(
        "too_large_unpacked",
        ["the file unpacks to more than any real export", "文件解压后大得不合常理"],
        ["It was not read. Find out where it comes from.", "文件没有被读取，请查明来源。"],
    ),
    said(
        "too_many_rejects",
        ["more rows were refused than the mapping allows", "被拒绝的行超过了映射文件允许的数量"],
        [
            "Most likely the report or the mapping changed. Look at the rejects before anything else.",
            "多半是报表或映射文件改过，请先看被拒绝的行。",
        ],
    ),
    said(
        "xml_doctype",
        [
            "the XML has a document type declaration, which no export has",
            "XML 里有 DOCTYPE 声明，正常的导出文件不会有",
        ],
        ["It was not read. Find out where it comes from.", "文件没有被读取，请查明来源。"],
    ),
];
