//! The proposal while it grows: the mapping, what was found for each part of it, and what a person has to say.

use qudao_sdk::model::file::{Candidate, Finding, Todo};
use serde_json::{Map, Value, json};

/// Mapping, findings, questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proposal {
    /// Members of the mapping but `fields`.
    pub mapping: Map<String, Value>,
    /// The fields.
    pub fields: Vec<Map<String, Value>>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What is open.
    pub todo: Vec<Todo>,
}

/// A reason in both languages.
pub(crate) struct Why(pub String, pub String);

/// A reason from two texts.
pub(crate) fn why(english: impl Into<String>, chinese: impl Into<String>) -> Why {
    Why(english.into(), chinese.into())
}

impl Proposal {
    /// Sets a top-level member, or a member of one (`rows/skip`).
    pub(crate) fn set(&mut self, path: &str, value: Value) {
        match path.split_once('/') {
            None => {
                self.mapping.insert(path.to_owned(), value);
            }
            Some((outer, inner)) => {
                let member = self.mapping.entry(outer.to_owned()).or_insert_with(|| json!({}));
                if let Some(object) = member.as_object_mut() {
                    object.insert(inner.to_owned(), value);
                }
            }
        }
    }

    /// Adds a field and what speaks for it.
    pub(crate) fn field(&mut self, field: Map<String, Value>, found: &str, why: Why, confidence: u8) {
        let at = format!("/fields/{}", self.fields.len());
        self.fields.push(field);
        self.found(&at, found, why, confidence);
    }

    /// The field that makes a value of this name.
    pub(crate) fn field_of(&mut self, to: &str) -> Option<&mut Map<String, Value>> {
        self.fields.iter_mut().find(|field| field.get("to").and_then(Value::as_str) == Some(to))
    }

    /// Whether there is a field that makes a value of this name.
    pub(crate) fn has(&self, to: &str) -> bool {
        self.fields.iter().any(|field| field.get("to").and_then(Value::as_str) == Some(to))
    }

    /// Place of a field.
    pub(crate) fn place_of(&self, to: &str) -> usize {
        let found = self.fields.iter().position(|field| field.get("to").and_then(Value::as_str) == Some(to));
        found.unwrap_or(self.fields.len())
    }

    /// Notes what was found.
    pub(crate) fn found(&mut self, at: &str, found: &str, why: Why, confidence: u8) {
        let Why(english, chinese) = why;
        let finding =
            Finding { at: at.to_owned(), found: found.to_owned(), why: english, why_zh: chinese, confidence };
        self.findings.push(finding);
    }

    /// Asks a person.
    pub(crate) fn ask(&mut self, at: &str, question: Why, candidates: Vec<Candidate>) {
        let Why(question, question_zh) = question;
        self.todo.push(Todo { at: at.to_owned(), question, question_zh, candidates });
    }

    /// The mapping as JSON, with the answers that a person has given put in.
    pub(crate) fn finish(
        mut self,
        answers: &std::collections::BTreeMap<String, Value>,
    ) -> (Value, Vec<Finding>, Vec<Todo>) {
        if !self.fields.is_empty() {
            let fields = self.fields.into_iter().map(Value::Object).collect();
            self.mapping.insert("fields".into(), Value::Array(fields));
        }
        let mut mapping = Value::Object(self.mapping);
        for (at, answer) in answers {
            if let Some(todo) = self.todo.iter_mut().find(|todo| todo.at == *at)
                && let Some(Why(english, chinese)) = refused(todo, answer)
            {
                todo.question = format!("{english} {}", todo.question);
                todo.question_zh = format!("{chinese}{}", todo.question_zh);
                continue;
            }
            if put(&mut mapping, at, answer) {
                self.todo.retain(|todo| todo.at != *at);
            }
            if at.ends_with("/sign_by") {
                spread(&mut mapping, answer);
            }
        }
        (mapping, self.findings, self.todo)
    }
}

/// Why an answer cannot be one to a question: a text beside candidates that are none of it, or of the wrong shape.
fn refused(todo: &Todo, answer: &Value) -> Option<Why> {
    if todo.candidates.iter().any(|candidate| candidate.value == *answer) {
        return None;
    }
    let said = |english: &str, chinese: &str| {
        Some(why(
            format!("The answer {answer} was not taken: {english}."),
            format!("答案 {answer} 未被采纳：{chinese}。"),
        ))
    };
    let member = todo.at.rsplit('/').next().unwrap_or_default();
    let place = todo.at.rsplit('/').nth(1) == Some("fields");
    let map = matches!(member, "value_map" | "tenders" | "records" | "sign_by") || place;
    let list = matches!(member, "formats" | "yes" | "no" | "columns");
    if map && !answer.is_object() {
        return said("it must be a map", "必须是一个映射");
    }
    if list && !answer.is_array() {
        return said("it must be a list", "必须是一个列表");
    }
    if !map && !list && !todo.candidates.is_empty() && !answer.is_object() {
        return said("it is none of the candidates", "不在候选项之中");
    }
    None
}

/// The same column gives one number of a row the same sign as the others.
fn spread(mapping: &mut Value, answer: &Value) {
    let same = |sign: &&mut Value| sign.get("column") == answer.get("column");
    let fields = mapping.get_mut("fields").and_then(Value::as_array_mut);
    for sign in fields.into_iter().flatten().filter_map(|field| field.get_mut("sign_by")).filter(same) {
        *sign = answer.clone();
    }
    if let Some(sign) = mapping.pointer_mut("/ticket/tenders/sign_by").filter(same) {
        *sign = answer.clone();
    }
}

/// Puts a value where a pointer leads; members on the way that are missing are made, places of arrays are not.
fn put(mapping: &mut Value, at: &str, answer: &Value) -> bool {
    let mut place = mapping;
    for part in at.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match place {
            Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            Value::Object(members) => Some(members.entry(part).or_insert_with(|| json!({}))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        let Some(next) = next else { return false };
        place = next;
    }
    *place = answer.clone();
    true
}

/// A candidate of a question.
pub(crate) fn candidate(value: impl Into<Value>, why: impl Into<String>) -> Candidate {
    Candidate { value: value.into(), why: why.into() }
}

/// A JSON object from pairs.
pub(crate) fn object(pairs: &[(&str, Value)]) -> Map<String, Value> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_do_not_fit_leave_their_questions_open() {
        let mut proposal = Proposal::default();
        proposal.ask("/ticket/tenders", why("How?", "如何?"), vec![candidate(Value::Null, "without")]);
        proposal.ask("/kind", why("Which?", "哪种?"), vec![candidate("sales", "sales")]);
        proposal.ask("/fields/0/formats", why("Which?", "哪种?"), vec![]);
        let answers = [
            ("/ticket/tenders".to_owned(), json!("微信")),
            ("/kind".to_owned(), json!("sale")),
            ("/fields/0/formats".to_owned(), json!("%Y")),
        ];
        let (mapping, _, todo) = proposal.clone().finish(&answers.into());
        assert_eq!(mapping, json!({}));
        assert_eq!(todo.len(), 3);
        assert!(todo.iter().all(|todo| todo.question.contains("was not taken")), "{todo:?}");
        let answers = [("/ticket/tenders".to_owned(), Value::Null), ("/kind".to_owned(), json!("sales"))];
        let (mapping, _, todo) = proposal.finish(&answers.into());
        assert_eq!(mapping, json!({"ticket": {"tenders": null}, "kind": "sales"}));
        assert_eq!(todo.len(), 1);
    }

    #[test]
    fn answers_go_where_they_belong() {
        let mut proposal = Proposal::default();
        proposal.field(object(&[("to", json!("quantity"))]), "x", why("a", "b"), 50);
        proposal.ask("/fields/0/from", why("Which?", "哪一列?"), vec![]);
        proposal.ask("/kind", why("Which?", "哪种?"), vec![]);
        let answers = [("/fields/0/from".to_owned(), json!("库存"))].into();
        let (mapping, findings, todo) = proposal.finish(&answers);
        assert_eq!(mapping, json!({"fields": [{"to": "quantity", "from": "库存"}]}));
        assert_eq!((findings.len(), todo.len()), (1, 1));
    }
}
