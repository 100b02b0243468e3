//! Rows: why one is in quarantine, and what a notice says.

use super::Said;

const fn said(word: &'static str, what: [&'static str; 2], mend: [&'static str; 2]) -> Said {
    Said { word, what, mend }
}

/// What people meet most, in the order of docs/errors.md, *Rows*.
pub(super) const ALL: &[Said] = &[
    said(
        "bad_barcode",
        [
            "`{cell}` is not a barcode: it has neither 8, 12, 13 nor 14 digits",
            "“{cell}”不是条码：条码应为 8、12、13 或 14 位数字",
        ],
        ["Compare it with the label and type it again.", "请对照吊牌重新录入。"],
    ),
    said(
        "bad_date",
        [
            "`{cell}` is not a date of the expected form, or there is no such day",
            "“{cell}”不是约定格式的日期，或者这一天不存在",
        ],
        [
            "Correct the date. If every row has this, the ERP writes dates in a new form: tell whoever keeps the mapping.",
            "请改正日期。如果每一行都这样，说明 ERP 换了日期格式，请告诉维护映射文件的人。",
        ],
    ),
    said(
        "bad_json",
        ["the line is not one JSON object", "这一行不是一个完整的 JSON 对象"],
        [
            "The file was probably cut while it was copied: export it again.",
            "文件很可能在复制时被截断，请重新导出。",
        ],
    ),
    said(
        "barcode_checksum",
        [
            "the last digit of `{cell}` does not fit the others[: it would be {want}]",
            "“{cell}”的最后一位校验码不对[，应为 {want}]",
        ],
        [
            "A digit was mistyped or lost. Compare it with the label.",
            "有一位数字录错或丢失，请对照吊牌改正。",
        ],
    ),
    said(
        "barcode_precision_lost",
        [
            "a spreadsheet turned the barcode into `{cell}`, and its last digits are gone",
            "表格软件把条码变成了“{cell}”，末尾几位已经丢失",
        ],
        [
            "The digits cannot be restored from this file. Export again from the ERP and do not open the file in a spreadsheet before sending it, or set the column to text first.",
            "丢失的数字无法从本文件恢复。请从 ERP 重新导出，发送前不要用表格软件打开，或先把该列设为“文本”。",
        ],
    ),
    said(
        "cell_error",
        ["the cell shows an error: `{cell}`", "单元格显示错误值“{cell}”"],
        [
            "Mend the formula, or widen the column if it shows only `####`, and export again.",
            "请修正公式；如果只显示“####”，请把列拉宽，然后重新导出。",
        ],
    ),
    said(
        "changed_after_import",
        [
            "this ticket or document was imported before with other content[: ticket {ticket_no}][: document {doc_no}][ of store {store}][; what differs: {differs}]",
            "这张小票或单据以前导入过，但内容不一样[：小票 {ticket_no}][：单据 {doc_no}][，门店 {store}][；不同之处：{differs}]",
        ],
        [
            "What was imported first stays. If it was wrong, correct it in the ERP with a document of its own (a return, an adjustment).",
            "以先导入的为准。如果当时有误，请在 ERP 里另开单据更正（退货单、调整单）。",
        ],
    ),
    said(
        "date_out_of_range",
        ["the date `{cell}` is too early or too late to be true", "日期“{cell}”过早或过晚，不合常理"],
        ["Usually the year was mistyped. Correct it.", "多半是年份录错，请改正。"],
    ),
    said(
        "duplicate_conflict",
        [
            "two rows say different things about the same key[; the other one is row {against}]",
            "同一个货号出现两次，内容互相矛盾[，另一行是第 {against} 行]",
        ],
        [
            "Keep the right one of the two. Until then neither counts.",
            "请保留正确的一行。改正之前两行都不算。",
        ],
    ),
    said(
        "field_count",
        [
            "the line has another number of fields than the header[: {got} instead of {want}]",
            "这一行的字段数与表头不一致[：有 {got} 个，应为 {want} 个]",
        ],
        [
            "A comma inside a text, or a broken line. Export again with texts in quotation marks, or take the comma out of the text.",
            "文字里有逗号，或者一行断成了两行。请在导出时给文字加引号，或去掉文字里的逗号。",
        ],
    ),
    said(
        "fractional_quantity",
        ["`{cell}` is not a whole number of pieces", "“{cell}”不是整数件"],
        ["Correct the quantity.", "请改正数量。"],
    ),
    said(
        "group_rejected",
        [
            "the row is good, but another row of the same ticket is not[: row {by}]",
            "本行没有问题，但同一张小票的另一行有错[：第 {by} 行]",
        ],
        ["Mend the other row; a ticket counts as a whole.", "请改正那一行；一张小票要么全算，要么全不算。"],
    ),
    said(
        "negative_price",
        ["the price or amount `{cell}` is below zero", "价格或金额“{cell}”小于零"],
        [
            "Correct it. For a return the quantity is below zero, not the price.",
            "请改正。退货时应是数量为负，而不是单价为负。",
        ],
    ),
    said(
        "negative_quantity",
        ["the quantity `{cell}` is below zero", "数量“{cell}”小于零"],
        ["Count the shelf and correct the stock in the ERP.", "请盘点实物，并在 ERP 里改正库存。"],
    ),
    said(
        "not_a_number",
        ["`{cell}` is not a number", "“{cell}”不是数字"],
        ["Write the number in digits, without words or blanks.", "请只填数字，不要带文字或空格。"],
    ),
    said(
        "not_in_list",
        ["`{cell}` is a word that is not known here", "“{cell}”不在约定的取值里"],
        [
            "Correct it. If it is a new and right word, tell whoever keeps the mapping.",
            "请改正。如果是新增的正确取值，请告诉维护映射文件的人。",
        ],
    ),
    said(
        "numeric_overflow",
        ["the ERP had no room for the number and wrote `{cell}`", "数字太长，ERP 写不下，只写了“{cell}”"],
        [
            "Widen the field in the ERP's report and export again.",
            "请在 ERP 报表里加宽该字段，然后重新导出。",
        ],
    ),
    said(
        "out_of_range",
        ["`{cell}` is too large or too small to be true", "“{cell}”过大或过小，不合常理"],
        ["Often a barcode got into the quantity. Correct it.", "常见原因是条码误扫进了数量，请改正。"],
    ),
    said(
        "pattern_mismatch",
        ["`{cell}` does not look like a code of this kind", "“{cell}”不像约定格式的编码"],
        ["Compare it with the label and type it again.", "请对照吊牌重新录入。"],
    ),
    said(
        "required_missing",
        ["the cell is empty and must be filled", "必填的单元格是空的"],
        ["Fill it in.", "请补填。"],
    ),
    said(
        "row_total_mismatch",
        [
            "the total of the row is not the sum of its cells[: it says {stated}, the cells make {computed}]",
            "本行合计与各尺码之和不一致[：写的是 {stated}，加起来是 {computed}]",
        ],
        [
            "One of the figures is wrong. Count and correct it; until then the whole row waits.",
            "其中一个数有误，请盘点后改正；改正之前整行都不算。",
        ],
    ),
    said(
        "short_record",
        [
            "the line is shorter than the others[: {got} bytes instead of {want}]",
            "这一行比别的行短[：{got} 字节，应为 {want} 字节]",
        ],
        [
            "The file was probably cut while it was copied: export it again.",
            "文件很可能在复制时被截断，请重新导出。",
        ],
    ),
    said(
        "sub_fen",
        ["`{cell}` has more than two decimals", "“{cell}”的小数超过两位（不足一分）"],
        [
            "Round it to whole fen in the ERP; nothing is rounded here in silence.",
            "请在 ERP 里四舍五入到分；这里不会悄悄取整。",
        ],
    ),
    said(
        "tender_mismatch",
        [
            "what was paid is not what the ticket costs[: {stated} yuan paid, {computed} yuan due]",
            "付款合计与小票金额不一致[：付款 {stated} 元，应收 {computed} 元]",
        ],
        [
            "A payment is missing or wrong. Compare it with the till roll.",
            "少了一笔付款或金额有误，请对照小票存根核对。",
        ],
    ),
    said(
        "unclosed_quote",
        ["a quotation mark opens and does not close on this line", "有一个引号没有配对"],
        [
            "Take the single quotation mark out of the text (often it stands for inches).",
            "请删去文字中多余的引号（常见于英寸标记）。",
        ],
    ),
    said(
        "unknown_record_type",
        [
            "the line begins with a record type that is not known[: `{cell}`]",
            "行首的记录类型不认识[：“{cell}”]",
        ],
        ["Tell whoever keeps the mapping.", "请告诉维护映射文件的人。"],
    ),
    said(
        "unknown_store",
        ["there is no store `{cell}` in the store directory", "门店目录里没有“{cell}”"],
        [
            "Correct the code. If the store is new, head office adds it to the store directory; the row is then taken without a new export.",
            "请改正门店编码。如果是新店，请总部先加入门店目录；之后无需重新导出，这一行会补上。",
        ],
    ),
    said(
        "unknown_tender",
        ["the way of paying[ `{cell}`] is not known", "付款方式[“{cell}”]不认识"],
        [
            "Correct it. If it is a new way of paying, tell whoever keeps the mapping.",
            "请改正。如果是新增的付款方式，请告诉维护映射文件的人。",
        ],
    ),
];

/// Less usual ones.
pub(super) const MORE: &[Said] = &[
    said(
        "too_long",
        ["the cell is longer than any real one", "单元格的内容长得不合常理"],
        ["A delimiter or a line break is missing. Export it again.", "缺少分隔符或换行，请重新导出。"],
    ),
    said(
        "too_many_lines",
        ["the ticket has more lines than any real one[: {got}]", "小票的行数多得不合常理[：{got} 行]"],
        [
            "Its rows probably share a number by mistake. Correct it.",
            "多半是不同小票误用了同一个单号，请改正。",
        ],
    ),
];

/// In the order of their names.
pub(super) const NOTICES: &[Said] = &[
    said(
        "duplicate_identical",
        ["says the same[ as row {of}] once more", "内容重复[，与第 {of} 行相同]"],
        ["", ""],
    ),
    said("superseded", ["is replaced[ by row {of}]", "已被取代[，以第 {of} 行为准]"], ["", ""]),
];
