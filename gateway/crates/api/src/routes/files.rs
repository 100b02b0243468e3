//! Routes of files that are handed in: imports and quarantine.

use crate::{App, describe::Described as _, files, imports, listed::Listed, problem::Problem, quarantine};
use aide::{
    axum::{
        ApiRouter,
        routing::{get_with, post_with},
    },
    transform::TransformOperation,
};
use axum::Json;
use qudao_storage::{ImportRow, RejectRow};

pub(super) fn routes() -> ApiRouter<App> {
    ApiRouter::new().merge(handing_in()).merge(decisions()).merge(lists())
}

fn handing_in() -> ApiRouter<App> {
    ApiRouter::new().api_route(
        "/v1/files/{channel}/{name}",
        post_with(files::hand_in, |op| {
            op.named("handInFile", "files", "Hands a file of an ERP or a till in.")
                .description(
                    "The body is the file, byte for byte, of any size up to the channel's `limits.file`; it is streamed to the disk. \
                     The same as dropping it into the watched folder. It is kept when this answers, and read afterwards: ask for \
                     the import by its id.",
                )
                .response_with::<200, Json<ImportRow>, _>(|ok| {
                    ok.description("The same bytes were handed in before under the same mapping: nothing else happens.")
                })
                .response_with::<202, Json<ImportRow>, _>(|ok| ok.description("It is kept and will be read; see `Location`."))
                .response_with::<400, Problem, _>(|problem| {
                    problem.description("The name is none of a file, or the file did not arrive whole.")
                })
                .response_with::<409, Problem, _>(|problem| {
                    problem.description("The channel reads no files, or is retired.")
                })
                .response_with::<413, Problem, _>(|problem| problem.description("The file is too large."))
                .response_with::<415, Problem, _>(|problem| {
                    problem.description("The body is a form, or compressed for the way.")
                })
                .by_id("channel")
                .closed()
        }),
    )
}

fn decisions() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/imports/{id}/confirm",
            post_with(imports::confirm, |op| {
                decided(op.named("confirmImport", "files", "Has what waits of a file count."))
                    .description("Without a body all stores that wait. The file is read again for it.")
            }),
        )
        .api_route(
            "/v1/imports/{id}/discard",
            post_with(imports::discard, |op| {
                decided(op.named("discardImport", "files", "Decides that what waits of a file never counts."))
                    .description("Without a body all stores that wait.")
            }),
        )
        .api_route(
            "/v1/imports/{id}/retry",
            post_with(imports::retry, |op| {
                op.named("retryImport", "files", "Reads a stored file again.")
                    .description(
                        "Under the mapping and the stores in force. Rows that are good by now count; what is still wrong is in \
                         quarantine afterwards. Under another mapping than before it is another import: the answer has its id.",
                    )
                    .response_with::<200, Json<imports::Detail>, _>(|ok| ok.description("The import that is read."))
                    .response_with::<409, Problem, _>(|problem| {
                        problem.description("It is under way, or its channel reads no files.")
                    })
                    .by_id("import")
                    .closed()
            }),
        )
}

fn decided(op: TransformOperation<'_>) -> TransformOperation<'_> {
    op.response_with::<200, Json<imports::Detail>, _>(|ok| ok.description("The import now."))
        .response_with::<409, Problem, _>(|problem| {
            problem.description("Nothing of it waits, or not these stores.")
        })
        .with_body_or_none()
        .by_id("import")
        .closed()
}

fn lists() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/v1/imports",
            get_with(imports::list, |op| {
                op.named("listImports", "files", "Files that were handed in, the latest first.")
                    .response_with::<200, Json<Listed<ImportRow>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/imports/{id}",
            get_with(imports::one, |op| {
                op.named("getImport", "files", "One file and how its stores stand.")
                    .response_with::<200, Json<imports::Detail>, _>(|ok| ok.description("The import."))
                    .by_id("import")
                    .closed()
            }),
        )
        .api_route(
            "/v1/quarantine",
            get_with(quarantine::list, |op| {
                op.named("listQuarantine", "files", "Rows that could not be taken, the latest file first.")
                    .description("A row with three faults is three of these.")
                    .response_with::<200, Json<Listed<RejectRow>>, _>(|ok| ok.description("One page."))
                    .filtered()
                    .closed()
            }),
        )
        .api_route(
            "/v1/quarantine.csv",
            get_with(quarantine::table, |op| {
                op.named("exportQuarantine", "files", "The same as a table for a spreadsheet, whole.")
                    .text(
                        "text/csv",
                        "UTF-8 with a byte-order mark; its columns are named in the first line.",
                    )
                    .filtered()
                    .closed()
            }),
        )
}
