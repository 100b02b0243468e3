//! What a file may cost to read. Each figure lies far above what an export of a shop contains and far below what would
//! hurt a gateway; crossing one refuses the file with a reason.

/// Bytes asked of the source in one piece: large enough that the call does not show, small against the guest's memory.
pub const PIECE: u32 = 256 * 1024;
/// Bytes of one line after decoding. A row of 250 columns with long texts has about 10 KiB.
pub const LINE: usize = 1024 * 1024;
/// Bytes of one record whose quoted cells cross line ends.
pub const RECORD: usize = 4 * LINE;
/// Physical lines of one record where the mapping does not say: a stray quote must not swallow the file.
pub const RECORD_LINES: u32 = 100;
/// Cells of one record: the columns of a spreadsheet.
pub const CELLS: usize = 16_384;
/// Rows of a spreadsheet; the format has no more.
pub const ROWS: u32 = 1_048_576;
/// Bytes of all entries of a zip container, counted while they are inflated.
pub const UNPACKED: u64 = 1024 * 1024 * 1024;
/// Inflated to packed size of a zip container above [`UNPACKED_FREE`]. Sheets of repeated rows reach about 40.
pub const UNPACKED_RATIO: u64 = 200;
/// Inflated bytes of a zip container that are not measured against the ratio.
pub const UNPACKED_FREE: u64 = 16 * 1024 * 1024;
/// Inflated bytes of the XML parts of a workbook that are held in memory: shared strings, styles, workbook.
pub const HELD: u64 = 96 * 1024 * 1024;
/// Tags of the shared strings of a workbook: each string becomes one in memory, however short. A million strings have four
/// million.
pub const STRING_TAGS: usize = 6_000_000;
/// Shared strings that a workbook may claim whatever it has: room for them is made at once, 24 bytes each.
pub const STRINGS_CLAIMED: u64 = 1_000_000;
/// Tags of any other part of a workbook that is held: styles above all, whose objects are large.
pub const PART_TAGS: usize = 400_000;
/// Shared strings of an .xls file.
pub const STRINGS: usize = 2_000_000;
/// Entries of a zip container.
pub const ENTRIES: usize = 4096;
/// Size of an .xls file, which is held in memory. 65,536 rows of 30 columns have about 30 MiB.
pub const XLS: u64 = 64 * 1024 * 1024;
/// Elements within elements of XML. Exports have about 6.
pub const DEPTH: usize = 64;
/// Values of one XML or JSON record, its lines and tenders included.
pub const VALUES: usize = 65_536;
