//! Files and stores: why they do not count at once.

use super::Said;

const fn said(word: &'static str, what: [&'static str; 2], mend: [&'static str; 2]) -> Said {
    Said { word, what, mend }
}

/// What people meet most, in the order of docs/errors.md, *Files*.
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
        "changed_after_import",
        ["other figures as of the same moment count already", "同一时点的库存已经导入过，但数字不一样"],
        [
            "If the file was corrected, or the mapping was, confirm and these figures count; else discard.",
            "如果文件或映射文件更正过，请确认，以这份为准；否则请作废。",
        ],
    ),
    said(
        "control_total_mismatch",
        ["the total at the end is not the sum of the rows", "末尾的合计与各行之和不一致"],
        ["Rows are missing or were changed. Export again.", "有行缺失或被改动，请重新导出。"],
    ),
    said(
        "counted_before",
        [
            "the movements of this file count already, read with another mapping",
            "这份文件的出入库已经按另一份映射文件导入过",
        ],
        [
            "Nothing is counted twice. Correct differences in the ERP with a document of its own, or hand in a snapshot.",
            "不会重复计算。如有差异，请在 ERP 里另开单据更正，或导入一份库存快照。",
        ],
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
        "future_snapshot",
        ["the figures are of a day that is still to come", "库存的日期在将来"],
        [
            "Usually the year was mistyped or a clock is wrong. Discard, correct it and export again.",
            "多半是年份录错或时钟不准。请作废，改正后重新导出。",
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
        "quantity_out_of_range",
        ["a quantity is larger than any store has", "有一个数量大得不合常理"],
        [
            "Often a barcode got into the quantity. Correct it and export again.",
            "常见原因是条码误扫进了数量，请改正后重新导出。",
        ],
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

/// Less usual ones: what only the gateway says of a store or a file, and files that no ERP writes.
pub(super) const MORE: &[Said] = &[
    said(
        "bad_mapping",
        ["the mapping cannot be used for this file", "映射文件不能用于这个文件"],
        [
            "`qudao onboard preview` says what is wrong with it.",
            "请用 `qudao onboard preview` 查看哪里有错。",
        ],
    ),
    said(
        "confirmed",
        ["somebody confirmed it, and it is being applied", "已有人确认，正在生效"],
        ["Nothing to do.", "无需处理。"],
    ),
    said(
        "duplicate_conflict",
        ["the file says two different things about one SKU of the store", "文件对该店同一货号有两种说法"],
        ["Keep the right one of the rows and export again.", "请保留正确的一行，然后重新导出。"],
    ),
    said(
        "held",
        ["the connector holds the file back", "连接器要求等待确认"],
        ["Look at the preview, then confirm or discard.", "请查看预览，然后确认或作废。"],
    ),
    said(
        "mapping_changed",
        ["the mapping was changed before the file was read", "文件读完之前映射文件改过"],
        ["Hand the file in again.", "请重新提交文件。"],
    ),
    said(
        "unknown_store",
        ["the store is not in the store directory", "门店目录里没有这家店"],
        ["Add it to the store directory and reload, then confirm.", "请加入门店目录并重新加载，然后确认。"],
    ),
    said(
        "cut_off",
        ["the file ends in the middle of a row", "文件在一行中间就结束了"],
        ["It was cut while it was copied. Export it again.", "文件在复制时被截断，请重新导出。"],
    ),
    said(
        "nothing_mapped",
        ["the mapping has no fields yet", "映射文件里还没有字段"],
        ["Let `qudao onboard FILE --write` propose some.", "请用 `qudao onboard 文件 --write` 生成。"],
    ),
    said(
        "too_deep",
        ["the file is nested deeper than any real export", "文件的嵌套层数多得不合常理"],
        ["It was not read. Find out where it comes from.", "文件没有被读取，请查明来源。"],
    ),
    said(
        "too_large",
        ["the file is larger than a file of this kind can be read", "文件太大，这种格式无法读取"],
        ["Export less at a time, or as CSV.", "请分批导出，或导出为 CSV。"],
    ),
    said(
        "too_long_line",
        ["a line is longer than any real one", "有一行长得不合常理"],
        [
            "A quotation mark is not closed, or it is another kind of file. Export it again.",
            "引号没有配对，或者不是这种文件。请重新导出。",
        ],
    ),
    said(
        "too_many_cells",
        ["a row has more cells than any real one", "有一行的单元格多得不合常理"],
        [
            "It is probably another kind of file. Look at it with `qudao onboard FILE`.",
            "多半不是这种文件，请用 `qudao onboard 文件` 查看。",
        ],
    ),
    said(
        "too_many_rows",
        ["the file has more rows than can be read at once", "文件行数太多，一次读不完"],
        ["Export less at a time.", "请分批导出。"],
    ),
];
