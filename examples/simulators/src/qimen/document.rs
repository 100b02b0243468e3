//! A document that can be written as XML and as JSON.

use serde_json::{Map, Value, json};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(String),
    Number(i64),
    Group(Vec<(&'static str, Node)>),
    /// Rows of one name.
    List(&'static str, Vec<Node>),
}

impl Node {
    /// The whole document; the root is `request`.
    pub(super) fn xml(&self, charset: &str) -> String {
        let mut text = format!("<?xml version=\"1.0\" encoding=\"{charset}\"?>");
        self.element("request", &mut text);
        text
    }

    /// The same in JSON.
    pub(super) fn json(&self) -> Value {
        json!({"request": self.value()})
    }

    fn element(&self, name: &str, text: &mut String) {
        text.extend(["<", name, ">"]);
        match self {
            Node::Text(value) => {
                *text += &value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            }
            Node::Number(value) => *text += &value.to_string(),
            Node::Group(members) => members.iter().for_each(|(name, node)| node.element(name, text)),
            Node::List(row, nodes) => nodes.iter().for_each(|node| node.element(row, text)),
        }
        text.extend(["</", name, ">"]);
    }

    fn value(&self) -> Value {
        match self {
            Node::Text(value) => json!(value),
            Node::Number(value) => json!(value),
            Node::Group(members) => {
                let members = members.iter().map(|(name, node)| ((*name).to_owned(), node.value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Node::List(row, nodes) => json!({*row: nodes.iter().map(Node::value).collect::<Vec<_>>()}),
        }
    }
}

/// Text.
pub(super) fn text(value: impl Into<String>) -> Node {
    Node::Text(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_in_both_forms() {
        let item = Node::Group(vec![("itemCode", text("A<B & C")), ("quantity", Node::Number(-2))]);
        let document = Node::Group(vec![("items", Node::List("item", vec![item]))]);
        let xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><request><items><item><itemCode>A&lt;B &amp; C</itemCode>\
                   <quantity>-2</quantity></item></items></request>";
        assert_eq!(document.xml("utf-8"), xml);
        let json = json!({"request": {"items": {"item": [{"itemCode": "A<B & C", "quantity": -2}]}}});
        assert_eq!(document.json(), json);
    }
}
