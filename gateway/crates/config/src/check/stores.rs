//! The store directory: CSV with a header line, read whole, every bad line told with its place.
//!
//! Columns are found by their names. Further ones say what other systems call a store: one with the name of a channel
//! counts for that channel, one with the name of a connector for all of its channels; others are kept and left alone.

use std::collections::BTreeMap;

use csv::StringRecord;

use super::Check;
use super::csv_file::{CsvFile, is_shortened_number};
use crate::stores::{Ownership, Store, connector_name};
use crate::suggest::{either, nearest};
use crate::tree::{Node, join};
use crate::{Severity, Stores};

/// In the order in which the columns are looked for.
const COLUMNS: [&str; 4] = ["code", "name", "region", "ownership"];
/// A code is a key and stands in tables; nothing that names a store is longer.
const CODE_MAX: usize = 40;

impl Check<'_> {
    pub(super) fn stores(&mut self, root: &Node) {
        let Some(written) = root.get("stores").and_then(Node::text).filter(|text| !text.is_empty()) else {
            self.stock_from(root, None);
            return;
        };
        let Some((csv, text)) = self.csv_file(("stores", "store directory"), written) else { return };
        let users = self.users();
        let mut file = File::new(csv, &users);
        file.read(&text);
        let File { stores, csv, .. } = file;
        if !csv.found.iter().any(|finding| finding.severity == Severity::Error) {
            self.stock_from(root, Some(&stores));
        }
        self.outcome.stores = stores;
        self.outcome.findings.extend(csv.found);
    }

    /// Names of channels and of their connectors: whose column a column can be.
    fn users(&self) -> Vec<&str> {
        let channels = self.document.root.get("channels").into_iter().flat_map(Node::entries);
        let mut users: Vec<&str> = channels
            .flat_map(|entry| [Some(entry.key.as_str()), entry.node.get("connector").and_then(Node::text)])
            .flatten()
            .map(connector_name)
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// The store that orders of a channel are taken from has to be one of ours.
    fn stock_from(&mut self, root: &Node, stores: Option<&Stores>) {
        for channel in root.get("channels").into_iter().flat_map(Node::entries) {
            let Some(code) =
                channel.node.get("stock_from").and_then(Node::text).filter(|code| !code.is_empty())
            else {
                continue;
            };
            let at = join(&join("/channels", &channel.key), "stock_from");
            let finding = match stores {
                None => self
                    .at(&at, "stores", "`stock_from` names a store, but there is no store directory")
                    .hint("name it at the top level: `stores: stores.csv`"),
                Some(stores) if stores.get(code).is_some() => continue,
                Some(stores) => {
                    let text = format!("`stock_from` names no store of the store directory: `{code}`");
                    let finding = self.at(&at, "stores", text);
                    match nearest(code, stores.iter().map(|store| store.code.as_str())) {
                        Some(near) => finding.hint(format!("did you mean `{near}`?")),
                        None => finding.hint("write the code of one of its lines"),
                    }
                }
            };
            self.add(finding);
        }
    }
}

/// The file while it is read.
struct File<'a> {
    csv: CsvFile,
    users: &'a [&'a str],
    stores: Stores,
    /// Line in which a store stood first, by our code.
    lines: BTreeMap<String, usize>,
    /// Codes of others: column, code → line and our code.
    taken: BTreeMap<(String, String), (usize, String)>,
    /// Codes of others with their places, compared with ours at the end.
    theirs: Vec<Theirs>,
}

/// A code of another system where it stands.
struct Theirs {
    line: usize,
    place: usize,
    column: String,
    code: String,
    ours: String,
}

/// Where the four columns are, the names of all, and how many there are.
struct Header {
    places: [usize; 4],
    others: Vec<(usize, String)>,
    width: usize,
}

impl<'a> File<'a> {
    fn new(csv: CsvFile, users: &'a [&'a str]) -> File<'a> {
        File {
            csv,
            users,
            stores: Stores::default(),
            lines: BTreeMap::new(),
            taken: BTreeMap::new(),
            theirs: Vec::new(),
        }
    }

    fn read(&mut self, text: &str) {
        let Some((first, rows)) = self.csv.parts(text, &COLUMNS) else { return };
        let line = self.csv.line(&first);
        let Some(header) = self.header(line, &first) else { return };
        for row in &rows {
            if self.csv.is_full() {
                return;
            }
            self.row(self.csv.line(row), row, &header);
        }
        if rows.is_empty() {
            self.csv.tell_whole("names no store", "write a line for each store below the header");
        }
        self.compare();
    }

    fn header(&mut self, line: usize, record: &StringRecord) -> Option<Header> {
        let place = |column: &str| record.iter().position(|cell| cell.eq_ignore_ascii_case(column));
        if self.csv.is_separated_otherwise(line, record, &COLUMNS) {
            return None;
        }
        let mut header: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, name) in record.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            if header.insert(name, at).is_some() {
                self.csv.tell(line, Some(at), format!("column `{name}` stands twice"), "keep one of the two");
                return None;
            }
        }
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|column| place(column).is_none()).collect();
        for column in &missing {
            let mut others = record.iter().filter(|cell| !COLUMNS.contains(cell));
            let hint = match others.find(|other| nearest(other, [*column]).is_some()) {
                Some(near) => format!("rename the column `{near}`"),
                None => format!(
                    "the first line names the columns: `{}`, then those of other systems",
                    COLUMNS.join(",")
                ),
            };
            self.csv.tell(line, None, format!("column `{column}` is missing"), hint);
        }
        let [Some(code), Some(name), Some(region), Some(ownership)] = COLUMNS.map(place) else { return None };
        let known = [code, name, region, ownership];
        let others = record.iter().enumerate().filter(|(at, name)| !known.contains(at) && !name.is_empty());
        let others: Vec<(usize, String)> = others.map(|(at, name)| (at, name.to_owned())).collect();
        for (at, name) in &others {
            self.nearly_a_channel(line, *at, name);
        }
        Some(Header { places: known, others, width: record.len() })
    }

    /// A column that is nearly named as a channel would silently not count.
    fn nearly_a_channel(&mut self, line: usize, at: usize, name: &str) {
        if self.users.contains(&name) {
            return;
        }
        if let Some(near) = nearest(name, self.users.iter().copied()).filter(|near| near.len() > 3) {
            let text = format!("column `{name}` belongs to no channel and no connector");
            let finding = self.csv.finding(line, Some(at), text).warning();
            self.csv.found.push(finding.hint(format!("did you mean `{near}`? other columns are left alone")));
        }
    }

    fn row(&mut self, line: usize, record: &StringRecord, header: &Header) {
        if !self.csv.fits(line, record, header.width) {
            return;
        }
        let [code, name, region, ownership] = header.places;
        let cell = |place: usize| record.get(place).unwrap_or_default();
        let sound = self.code(line, code, ("code", cell(code)));
        for (place, column) in [(code, "code"), (name, "name"), (ownership, "ownership")] {
            if cell(place).is_empty() {
                self.csv.tell(line, None, format!("`{column}` is empty"), "fill it in, or remove the line");
                return;
            }
        }
        let Some(owner) = Ownership::parse(cell(ownership)) else {
            let words = Ownership::ALL.map(Ownership::as_str);
            let near = nearest(cell(ownership), words).map(|near| format!("did you mean `{near}`? "));
            let hint = format!("{}it may be {} (直营, 加盟, 联营)", near.unwrap_or_default(), either(&words));
            let text = format!("`ownership` cannot be `{}`", cell(ownership));
            return self.csv.tell(line, Some(ownership), text, hint);
        };
        if let Some(first) = self.lines.get(cell(code)) {
            let text = format!("store `{}` stands in line {first} already", cell(code));
            return self.csv.tell(line, Some(code), text, "keep one of the two lines");
        }
        self.lines.insert(cell(code).to_owned(), line);
        let mut codes = BTreeMap::new();
        for (place, column) in header.others.iter().filter(|(place, _)| !cell(*place).is_empty()) {
            if self.theirs(line, *place, (column, cell(*place), cell(code))) {
                codes.insert(column.clone(), cell(*place).to_owned());
            }
        }
        if sound {
            self.stores.insert(Store {
                code: cell(code).to_owned(),
                name: cell(name).to_owned(),
                region: Some(cell(region).to_owned()).filter(|region| !region.is_empty()),
                ownership: owner,
                codes,
            });
        }
    }

    /// Whether a code may stand there; what is wrong is told.
    fn code(&mut self, line: usize, place: usize, (column, code): (&str, &str)) -> bool {
        let plain: String = code.chars().map(half_width).collect();
        let told = if is_shortened_number(code) {
            let text = format!("`{column}` is `{code}`, a number that a spreadsheet program has shortened");
            Some((
                text,
                "its digits are lost: format the column as text there, and fill it in again".to_owned(),
            ))
        } else if code.starts_with('=') || code.starts_with('\'') {
            let bare = code.trim_matches(|c| matches!(c, '=' | '"' | '\''));
            Some((
                format!("`{column}` is written for a spreadsheet program: `{code}`"),
                format!("write `{bare}`"),
            ))
        } else if plain != code {
            Some((format!("`{column}` has full-width characters: `{code}`"), format!("write `{plain}`")))
        } else if code.contains(|c: char| c.is_whitespace() || c.is_control()) {
            Some((format!("`{column}` has a blank in it: `{code}`"), "a code is one word".to_owned()))
        } else if code.chars().count() > CODE_MAX {
            let text = format!("`{column}` is longer than {CODE_MAX} characters");
            Some((text, "is it the right column?".to_owned()))
        } else {
            None
        };
        let sound = told.is_none();
        if let Some((text, hint)) = told {
            self.csv.tell(line, Some(place), text, hint);
        }
        sound
    }

    /// What another system calls the store; whether it can be kept.
    fn theirs(&mut self, line: usize, place: usize, (column, code, ours): (&str, &str, &str)) -> bool {
        if !self.users.contains(&column) {
            return true;
        }
        if !self.code(line, place, (column, code)) {
            return false;
        }
        let key = (column.to_owned(), code.to_owned());
        if let Some((first, other)) = self.taken.get(&key) {
            let text = format!("`{code}` of `{column}` is store `{other}` in line {first} already");
            self.csv.tell(line, Some(place), text, "a code means one store");
            return false;
        }
        self.taken.insert(key, (line, ours.to_owned()));
        let (column, code, ours) = (column.to_owned(), code.to_owned(), ours.to_owned());
        self.theirs.push(Theirs { line, place, column, code, ours });
        true
    }

    /// One code that means two stores, ours and theirs: nobody could tell which a file means.
    fn compare(&mut self) {
        for Theirs { line, place, column, code, ours } in std::mem::take(&mut self.theirs) {
            if code != ours && self.lines.contains_key(&code) {
                let text = format!(
                    "`{code}` of `{column}` is store `{ours}`, but `{code}` is also our own code of another store"
                );
                let hint = "number one of them otherwise: in a file of that channel nobody could tell which is meant";
                self.csv.tell(line, Some(place), text, hint);
            }
        }
    }
}

/// `Ａ` → `A`: what input methods write where a code was meant.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    }
}
