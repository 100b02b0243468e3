//! What the metrics of asking mean, said once.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// Describes them; a recorder that is not there yet hears nothing.
pub(super) fn describe() {
    describe_counter!(
        "qudao_polls_total",
        "Pages asked for by channel, stream and result: read, empty or failed."
    );
    describe_counter!(
        "qudao_fetches_total",
        "Things asked for by channel, kind and result: settled, again, given_up or failed."
    );
    describe_counter!(
        "qudao_tasks_given_up_total",
        "Tasks that nobody will do any more, by channel and kind."
    );
    describe_counter!("qudao_commands_total", "Moves of commands by channel, kind and state.");
    describe_gauge!("qudao_tasks_due", "Tasks that wait for their turn now, 1000 at most.");
    describe_gauge!("qudao_channel_paused", "1 while a channel asks nothing until somebody mends it.");
    describe_histogram!("qudao_ask_seconds", "Wall clock of a poll, fetch or command.");
}
