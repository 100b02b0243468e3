//! Questions on a terminal: what a look could not decide, a person does.

use super::yaml;
use crate::{
    error::Error,
    output::{
        people,
        style::{BOLD, DIM, HINT},
    },
};
use qudao_model::file::Todo;
use qudao_pipeline::sentences::Lang;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
};

/// Asks one thing after another. What is answered with nothing stays open.
pub(super) fn ask(
    (input, output): (&mut dyn BufRead, &mut dyn Write),
    lang: Lang,
    todo: &[Todo],
) -> Result<BTreeMap<String, Value>, Error> {
    let mut answers = BTreeMap::new();
    for todo in todo {
        if let Some(answer) = one((&mut *input, &mut *output), lang, todo)? {
            answers.insert(todo.at.clone(), answer);
        }
    }
    Ok(answers)
}

fn one(
    (input, output): (&mut dyn BufRead, &mut dyn Write),
    lang: Lang,
    todo: &Todo,
) -> Result<Option<Value>, Error> {
    let question = people::text(lang.pick(&todo.question, &todo.question_zh));
    let told = |result: std::io::Result<()>| result.map_err(Error::Printing);
    told(writeln!(output, "\n{BOLD}{question}{BOLD:#}"))?;
    for (index, candidate) in todo.candidates.iter().enumerate() {
        let (value, why) = (people::text(&shown(lang, &candidate.value)), people::text(&candidate.why));
        told(writeln!(output, "  {HINT}{:>2}{HINT:#}  {value}   {DIM}{why}{DIM:#}", index + 1))?;
    }
    loop {
        let how = match (todo.candidates.is_empty(), lang) {
            (true, Lang::En) => "Type it, or press Enter to leave it open: ",
            (true, Lang::Zh) => "请输入，直接回车表示以后再定：",
            (false, Lang::En) => "Type a number, or press Enter to leave it open: ",
            (false, Lang::Zh) => "请输入序号，直接回车表示以后再定：",
        };
        told(write!(output, "{how}").and_then(|()| output.flush()))?;
        let mut line = String::new();
        if input.read_line(&mut line).map_err(Error::file("read", "standard input"))? == 0 {
            return Ok(None);
        }
        if let Ok(answer) = answer(line.trim(), todo) {
            return Ok(answer);
        }
        let count = todo.candidates.len();
        let text = match lang {
            Lang::En => format!("There is no such answer; 1 to {count} are."),
            Lang::Zh => format!("没有这个选项，请输入 1 到 {count}。"),
        };
        told(writeln!(output, "{text}"))?;
    }
}

/// A candidate by its number or its text; without candidates anything, as text.
fn answer(typed: &str, todo: &Todo) -> Result<Option<Value>, ()> {
    if typed.is_empty() {
        return Ok(None);
    }
    if todo.candidates.is_empty() {
        return Ok(Some(typed.into()));
    }
    let by_number =
        typed.parse::<usize>().ok().and_then(|number| todo.candidates.get(number.checked_sub(1)?));
    let typed_it = |value: &Value| {
        yaml::flow(value) == typed || [Lang::En, Lang::Zh].iter().any(|lang| shown(*lang, value) == typed)
    };
    let by_text = || todo.candidates.iter().find(|candidate| typed_it(&candidate.value));
    by_number.or_else(by_text).map(|candidate| Some(candidate.value.clone())).ok_or(())
}

/// A value as a person would write it.
pub(super) fn shown(lang: Lang, value: &Value) -> String {
    if let (Some(column), Some(1)) =
        (value.get("column_index").and_then(Value::as_u64), value.as_object().map(serde_json::Map::len))
    {
        return match lang {
            Lang::En => format!("column {column}"),
            Lang::Zh => format!("第 {column} 列"),
        };
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            yaml::flow(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_model::file::Candidate;
    use serde_json::json;

    fn question() -> Todo {
        let candidate = |value: Value, why: &str| Candidate { value, why: why.to_owned() };
        Todo {
            at: "/fields/2/from".to_owned(),
            question: "Which column is the quantity?".to_owned(),
            question_zh: "哪一列是数量？".to_owned(),
            candidates: vec![
                candidate(json!("库存数量"), "whole numbers: 7, 8, 5"),
                candidate(json!({"column_index": 6}), "whole numbers: 6, 8, 5"),
            ],
        }
    }

    /// What is said and what was answered when somebody types this.
    fn conversation(typed: &str, lang: Lang, todo: &Todo) -> (String, Option<Value>) {
        let mut output = Vec::new();
        let answers = ask((&mut typed.as_bytes(), &mut output), lang, std::slice::from_ref(todo)).unwrap();
        let said = anstream::adapter::strip_str(std::str::from_utf8(&output).unwrap()).to_string();
        (said, answers.get(&todo.at).cloned())
    }

    #[test]
    fn a_number_or_the_text_answers_and_nothing_leaves_it_open() {
        let (said, answer) = conversation("9\n2\n", Lang::En, &question());
        assert_eq!(answer, Some(json!({"column_index": 6})));
        insta::assert_snapshot!(said, @r#"
        Which column is the quantity?
           1  库存数量   whole numbers: 7, 8, 5
           2  column 6   whole numbers: 6, 8, 5
        Type a number, or press Enter to leave it open: There is no such answer; 1 to 2 are.
        Type a number, or press Enter to leave it open:
        "#);
        let (said, answer) = conversation("库存数量\n", Lang::Zh, &question());
        assert_eq!(answer, Some(json!("库存数量")));
        insta::assert_snapshot!(said, @r#"
        哪一列是数量？
           1  库存数量   whole numbers: 7, 8, 5
           2  第 6 列   whole numbers: 6, 8, 5
        请输入序号，直接回车表示以后再定：
        "#);
        assert_eq!(conversation("\n", Lang::En, &question()).1, None);
        assert_eq!(conversation("", Lang::En, &question()).1, None, "the terminal was closed");
        let free = Todo { candidates: Vec::new(), ..question() };
        assert_eq!(conversation(" 数量 \n", Lang::En, &free).1, Some(json!("数量")));
    }
}
