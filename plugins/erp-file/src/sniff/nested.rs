//! XML and JSON lines: which element or object is a record, where its lines and payments are, and what the values are called.

use super::build::{self, Context};
use super::grid::Seen;
use super::proposal::{Proposal, why};
use super::table::{Column, Table};
use super::words::words;
use super::{keys, numbers, tender};
use crate::sheet::{Bytes, FileFault};
use crate::sheets::markup::{Markup, Token};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Steps through a document that are looked at.
const STEPS_MAX: usize = 200_000;
/// Records that are looked at.
const RECORDS_MAX: usize = 2000;

/// A record with its values by path and the groups inside it.
#[derive(Debug, Clone, Default)]
struct Tree {
    values: Vec<(String, Seen)>,
    groups: Vec<(String, Tree)>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    name: String,
    namespace: Option<String>,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    text: String,
}

/// Proposes a mapping for XML.
pub(crate) fn xml(
    context: &Context<'_>,
    file: &dyn Bytes,
    declared: bool,
    proposal: &mut Proposal,
) -> Result<(), FileFault> {
    let root = document(file)?;
    proposal.set("container/format", json!("xml"));
    proposal.set("container/encoding", json!(if declared { "declared" } else { "utf-8" }));
    if let Some(namespace) = &root.namespace {
        proposal.set("container/namespace", json!(namespace));
    }
    proposal.set("container/row_ref", json!("record"));
    let Some(records) = records(&root) else {
        proposal.ask(
            "/container/record",
            why("Which element is a record?", "哪个元素是一条记录？"),
            Vec::new(),
        );
        return Ok(());
    };
    let name = records.first().map(|node| node.name.clone()).unwrap_or_default();
    proposal.set("container/record", json!(name));
    let count = records.len();
    proposal.found(
        "/container/record",
        &name,
        why(format!("the element repeats: {count} of them"), format!("该元素重复出现 {count} 次")),
        93,
    );
    let trees: Vec<Tree> = records.iter().map(|node| tree(node)).collect();
    let attributes =
        root.attributes.iter().map(|(name, value)| (json!({"root_attr": name}), name.clone(), value.clone()));
    write(context, &trees, &attributes.collect::<Vec<_>>(), proposal);
    unread_times(&root, &name, proposal);
    Ok(())
}

/// Proposes a mapping for JSON lines.
pub(crate) fn jsonl(context: &Context<'_>, text: &str, proposal: &mut Proposal) {
    proposal.set("container/format", json!("jsonl"));
    proposal.set("container/encoding", json!("utf-8"));
    proposal.set("container/row_ref", json!("line"));
    let objects = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let trees: Vec<Tree> = objects.take(RECORDS_MAX).map(|value| object(&value)).collect();
    write(context, &trees, &[], proposal);
}

fn document(file: &dyn Bytes) -> Result<Node, FileFault> {
    let mut markup = Markup::open(None, file)?;
    let mut open: Vec<Node> = Vec::new();
    let mut steps = 0;
    loop {
        steps += 1;
        match markup.step() {
            Ok(Some(Token::Open(element))) => open.push(Node {
                name: element.name,
                namespace: element.namespace,
                attributes: element.attributes,
                ..Node::default()
            }),
            Ok(Some(Token::Text(text))) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&text);
                }
            }
            Ok(Some(Token::Close)) => {
                let Some(node) = open.pop() else { break };
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => return Ok(node),
                }
            }
            Ok(None) => break,
            Err(fault) => return Err(fault),
        }
        if steps > STEPS_MAX {
            // what is still open has enough in it
            while let Some(node) = open.pop() {
                match open.last_mut() {
                    Some(parent) if open_is_record(parent) => parent.children.push(node),
                    Some(_) => {}
                    None => return Ok(node),
                }
            }
        }
    }
    Err(FileFault::new("format_mismatch", "the document has no root element"))
}

fn open_is_record(parent: &Node) -> bool {
    parent.children.len() < 2
}

/// The children of one name of the outermost element that has several of them.
fn records(node: &Node) -> Option<Vec<&Node>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for child in &node.children {
        *counts.entry(child.name.as_str()).or_default() += 1;
    }
    let (name, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let same = node.children.iter().filter(|child| child.name == name);
    if count >= 2 {
        return Some(same.take(RECORDS_MAX).collect());
    }
    let deeper = node.children.iter().find_map(records);
    deeper.filter(|records| records.len() > 1).or_else(|| Some(same.collect()))
}

fn tree(node: &Node) -> Tree {
    let mut tree = Tree::default();
    gather(node, "", &mut tree);
    tree
}

fn gather(node: &Node, path: &str, tree: &mut Tree) {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    for (name, value) in &node.attributes {
        tree.values.push((join(&format!("@{name}")), Seen::text(value)));
    }
    for child in &node.children {
        let name = join(&child.name);
        let same = node.children.iter().filter(|other| other.name == child.name).count();
        let alike = child
            .children
            .iter()
            .all(|inner| Some(&inner.name) == child.children.first().map(|first| &first.name));
        if same > 1 {
            tree.groups.push((name, self::tree(child)));
        } else if child.children.is_empty() && child.attributes.is_empty() {
            tree.values.push((name, Seen::text(&child.text)));
        } else if child.attributes.is_empty() && alike && child.children.iter().all(is_group) {
            // a wrapper: 明细/行
            tree.groups.extend(
                child.children.iter().map(|inner| (format!("{name}/{}", inner.name), self::tree(inner))),
            );
        } else {
            gather(child, &name, tree);
        }
    }
}

fn is_group(node: &Node) -> bool {
    !node.attributes.is_empty() || !node.children.is_empty()
}

fn object(value: &Value) -> Tree {
    let mut tree = Tree::default();
    members(value, "", &mut tree);
    tree
}

fn members(value: &Value, path: &str, tree: &mut Tree) {
    let Some(object) = value.as_object() else { return };
    for (name, value) in object {
        let name = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        match value {
            Value::Array(items) => {
                tree.groups.extend(items.iter().map(|item| (name.clone(), self::object(item))));
            }
            Value::Object(_) => members(value, &name, tree),
            Value::Null => tree.values.push((name, Seen::default())),
            Value::String(text) => tree.values.push((name, Seen::text(text))),
            Value::Number(number) => {
                tree.values.push((name, Seen { number: true, ..Seen::text(&number.to_string()) }));
            }
            Value::Bool(_) => tree.values.push((name, Seen::text(&value.to_string()))),
        }
    }
}

/// Columns of values by path; a record without the value has an empty cell.
fn columns<'a>(trees: &(impl Iterator<Item = &'a Tree> + Clone), prefix: &str) -> Vec<Column> {
    let mut names: Vec<&str> = Vec::new();
    for tree in trees.clone() {
        for (name, _) in &tree.values {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let column = |(place, name): (usize, &&str)| {
        let cells = trees.clone().map(|tree| {
            tree.values.iter().find(|(own, _)| own == name).map(|(_, seen)| seen.clone()).unwrap_or_default()
        });
        let bare = name.rsplit('/').next().unwrap_or(name).trim_start_matches('@');
        Column::new(json!(format!("{prefix}{name}")), bare, place, cells.collect())
    };
    names.iter().enumerate().map(column).collect()
}

/// Paths of groups, those of goods and those of payments.
fn group_paths(trees: &[Tree]) -> (Option<String>, Option<String>) {
    let mut paths: Vec<&str> = Vec::new();
    for (path, _) in trees.iter().flat_map(|tree| &tree.groups) {
        if !paths.contains(&path.as_str()) {
            paths.push(path);
        }
    }
    let of = |path: &str| -> Vec<Column> {
        let groups = trees.iter().flat_map(|tree| &tree.groups).filter(|(own, _)| own == path);
        columns(&groups.map(|(_, tree)| tree), "")
    };
    let goods = paths.iter().copied().find(|path| {
        let has = |role: &str| {
            of(path)
                .iter()
                .any(|column| column.meanings.iter().any(|(own, score)| *own == role && *score >= 80))
        };
        has("quantity") || has("sku") || has("barcode")
    });
    let paid =
        paths.iter().copied().filter(|path| Some(*path) != goods).find(|path| payment(&of(path)).is_some());
    (goods.map(str::to_owned), paid.map(str::to_owned))
}

/// Columns of a payment: its name and its amount.
fn payment(columns: &[Column]) -> Option<(&Column, &Column)> {
    let name = columns.iter().find(|column| {
        let known = column.profile.distinct.keys().filter(|text| words().tender(text).is_some()).count();
        known * 2 >= column.profile.distinct.len() && known > 0
    })?;
    let amount = columns
        .iter()
        .find(|column| column.place != name.place && column.profile.share(column.profile.numbers) >= 80)?;
    Some((name, amount))
}

/// An attribute of the root that says when the file was made, where no record has a time of its own.
fn root_time(root: &[(Value, String, String)], columns: &[Column]) -> Option<Column> {
    let times = ["occurred_at", ".counted_at"];
    let is_time = |column: &Column| {
        let named = column.meanings.iter().any(|(role, score)| times.contains(role) && *score >= 80);
        named && column.profile.dates().read > 0
    };
    if columns.iter().any(is_time) {
        return None;
    }
    let made = root.iter().map(|(from, name, value)| {
        let mut column = Column::new(from.clone(), name, 0, vec![Seen::text(value)]);
        let known = is_time(&column);
        column.meanings = vec![("occurred_at", 85)];
        (known, column)
    });
    made.filter(|(known, _)| *known).map(|(_, column)| column).next()
}

/// Elements beside the records with a time in them: a mapping reads attributes of the root, and nothing else outside a record.
fn unread_times(root: &Node, record: &str, proposal: &mut Proposal) {
    if !proposal.mapping.contains_key("as_of") {
        return;
    }
    let beside = root.children.iter().filter(|child| child.name != record && child.children.is_empty());
    for child in beside {
        let column = Column::new(Value::Null, &child.name, 0, vec![Seen::text(child.text.trim())]);
        if column.profile.dates().read == 0 {
            continue;
        }
        let (name, text) = (&child.name, child.text.trim());
        proposal.findings.retain(|finding| finding.at != "/as_of");
        proposal.found(
            "/as_of",
            "import_time",
            why(
                format!(
                    "the element `{name}` beside the records says {text}, but a mapping reads only attributes of the root and what is inside a record: the time of import counts. An old file that is imported late then counts as the newest. Ask for the time as an attribute of the root, for example <{} {name}=\"{text}\">, or in each record; or take it from the file's name with from: {{file_name: …}}",
                    root.name
                ),
                format!(
                    "记录之外的元素“{name}”写明 {text}，但映射只能读根元素的属性和记录之内的内容：以导入时间为准。晚导入的旧文件会被当作最新的库存。请让 ERP 把时间写成根元素的属性（例如 <{} {name}=\"{text}\">）或写进每条记录；也可用 from: {{file_name: …}} 取自文件名",
                    root.name
                ),
            ),
            60,
        );
        return;
    }
}

fn write(context: &Context<'_>, trees: &[Tree], root: &[(Value, String, String)], proposal: &mut Proposal) {
    proposal.set("rows/blank", json!("skip"));
    let (goods, paid) = group_paths(trees);
    let inside = |path: &str| {
        trees
            .iter()
            .flat_map(|tree| &tree.groups)
            .filter(move |(own, _)| own == path)
            .map(|(_, tree)| tree)
            .collect::<Vec<_>>()
    };
    let mut all = columns(&trees.iter(), "");
    if let Some(path) = &goods {
        proposal.set("container/line", json!(path));
        let lines = inside(path);
        all.extend(columns(&lines.iter().copied(), "line/"));
        proposal.found(
            "/container/line",
            path,
            why("it repeats inside a record and has goods in it", "在记录内重复，内容为商品"),
            92,
        );
    }
    let known_root = root.iter().find(|(_, name, value)| {
        context.known.is_code(value)
            || words().meanings(name).iter().any(|(role, score)| *role == "store_code" && *score >= 90)
    });
    if let Some((from, name, value)) = known_root {
        let named = all
            .iter()
            .any(|column| column.meanings.iter().any(|(role, score)| *role == "store_code" && *score >= 90));
        if !named {
            let mut column = Column::new(from.clone(), name, 0, vec![Seen::text(value)]);
            column.meanings = vec![("store_code", 97)];
            all.push(column);
        }
    }
    if let Some(column) = root_time(root, &all) {
        all.push(column);
    }
    let table = Table { columns: all, numbers: Vec::new(), paid: paid.is_some() };
    let mut read = build::read(context, &table, false, proposal);
    if goods.is_some() {
        read.elsewhere.push("lines".to_owned());
    }
    build::write(context, &read, proposal);
    if read.kind != qudao_sdk::model::FileKind::Sales {
        return;
    }
    let tenders = paid.and_then(|path| {
        proposal.set("container/tender", json!(path));
        let groups = inside(&path);
        let columns = columns(&groups.iter().copied(), "");
        let (name, amount) = payment(&columns)?;
        let map = tender::value_map(name.profile.distinct.keys().map(String::as_str), proposal);
        let sum: i128 = amount.profile.values.iter().sum::<i128>() / numbers::ONE;
        proposal.found(
            "/ticket/tenders",
            &path,
            why(
                format!("names of payments with amounts, {sum} in all"),
                format!("付款方式及金额，合计 {sum}"),
            ),
            92,
        );
        Some(json!({"mode": "nested", "name": name.from, "amount": amount.from, "value_map": map}))
    });
    keys::ticket(tenders, Some(&table), proposal);
}
