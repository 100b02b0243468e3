//! The table of platform states that people read, read by a test: the half of it that the fold answers for.

use super::scene::{Scene, line, picture};
use qudao_model::{OrderFacts, OrderPaymentState, OrderState};
use serde_json::Value;

const TABLE: &str = include_str!("../../../../../../tests/it/tests/it/order_states.md");

/// Columns: platform, its word, then what a connector makes of it (state, payment state, holds) and what the order and its
/// events become at first sight.
fn rows() -> Vec<Vec<&'static str>> {
    let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let rows = TABLE.lines().filter(|row| row.starts_with("| ")).map(cells);
    rows.filter(|cells| cells.first() != Some(&"platform")).collect()
}

fn told(state: &str, money: &str, holds: &str) -> OrderFacts {
    let read = |word: &str| Value::from(word.trim_matches('`'));
    let state: Option<OrderState> = (state != "–").then(|| serde_json::from_value(read(state)).unwrap());
    let money: OrderPaymentState = serde_json::from_value(read(money)).unwrap();
    let holds = holds.split(',').map(|one| one.trim().trim_matches('`').to_owned()).filter(|one| one != "–");
    OrderFacts { holds: holds.collect(), ..picture(10, state, money, vec![line(1, 1, 500, None)]) }
}

#[test]
fn each_row_of_the_table_holds() {
    let rows = rows();
    assert!(rows.len() > 30, "the table was not read");
    for row in rows {
        let [_, _, state, money, holds, expected @ ..] = row.as_slice() else { panic!("{row:?}") };
        let scene = Scene::default().picture(told(state, money, holds));
        let order = scene.order();
        let word = |value: Value| format!("`{}`", value.as_str().unwrap());
        let events =
            scene.events().into_iter().map(|one| format!("`{}`", one.trim_start_matches("1 order.")));
        let list = |words: Vec<String>| if words.is_empty() { "–".to_owned() } else { words.join(", ") };
        let is = [
            word(serde_json::to_value(order.state).unwrap()),
            word(serde_json::to_value(order.payment_state).unwrap()),
            list(order.holds.iter().map(|hold| format!("`{hold}`")).collect()),
            list(events.collect()),
        ];
        assert_eq!(expected, is, "{row:?}");
    }
}
