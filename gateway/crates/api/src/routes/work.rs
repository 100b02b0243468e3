//! Routes of what is asked of channels: commands, tasks, and the channels themselves.

use crate::{App, channels, commands, describe::Described as _, listed::Listed, problem::Problem, tasks};
use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::Json;
use qudao_storage::{CommandRow, Task};
use schemars::json_schema;

pub(super) fn commands() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/commands",
            post_with(commands::create, |op| {
                op.named("createCommand", "commands", "Something to ask a channel to do, once.")
                    .description(
                        "Wants an idempotency key, in the header `Idempotency-Key` or in the body: the same key with the same \
                         content is the same command. It is kept when this answers, and done afterwards; ask for it by its id.",
                    )
                    .response_with::<200, Json<CommandRow>, _>(|ok| {
                        ok.description("The key was used for the same before; so it stands now.")
                    })
                    .response_with::<201, Json<CommandRow>, _>(|ok| ok.description("It is kept and will be done."))
                    .response_with::<409, Problem, _>(|problem| {
                        problem.description("The key belongs to another command, or the channel is not live.")
                    })
                    .response_with::<422, Problem, _>(|problem| {
                        problem.description("The channel does not know that command, or the payload is not what it wants.")
                    })
                    .with_header(
                        "Idempotency-Key",
                        "The same as `idempotency_key` of the body; one of the two is wanted.",
                        json_schema!({"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}),
                    )
                    .with_body()
                    .by_id("channel")
                    .closed()
            })
            .get_with(commands::list, |op| {
                op.named("listCommands", "commands", "Commands, the latest first.")
                    .response_with::<200, Json<Listed<CommandRow>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/commands/{id}",
            get_with(commands::one, |op| {
                op.named("getCommand", "commands", "One command, as it stands.")
                    .response_with::<200, Json<CommandRow>, _>(|ok| ok.description("The command."))
                    .by_id("command")
                    .closed()
            }),
        )
}

pub(super) fn channels() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/channels",
            get_with(channels::list, |op| {
                op.named("listChannels", "operation", "Channels as the configuration in force has them.")
                    .response_with::<200, Json<Listed<channels::Channel>>, _>(|ok| {
                        ok.description("All of them, by name.")
                    })
                    .closed()
            }),
        )
        .api_route(
            "/v1/channels/{name}/resume",
            post_with(channels::resume, |op| {
                op.named("resumeChannel", "operation", "Lets a channel ask again that was stopped.")
                    .description("Mend what `paused` names first, or it stops again at once. Nothing to resume is no error.")
                    .response_with::<200, Json<channels::Channel>, _>(|ok| ok.description("The channel now."))
                    .by_id("channel")
                    .closed()
            }),
        )
        .api_route(
            "/v1/tasks",
            get_with(tasks::list, |op| {
                op.named("listTasks", "operation", "What is going to be asked or done, the first due first.")
                    .response_with::<200, Json<Listed<Task>>, _>(|ok| ok.description("The first of them."))
                    .filtered()
                    .closed()
            }),
        )
}
