//! The description of the API as OpenAPI 3.1, generated from routes and types.
//!
//! Committed as docs/openapi.json; a test compares. Error responses are added in groups, so that no route forgets one.

use crate::{App, problem::Problem, routes, tidy::tidy};
use aide::{
    generate::{self, GenContext},
    openapi::{
        Contact, HeaderStyle, License, MediaType, OpenApi, Parameter, ParameterData,
        ParameterSchemaOrContent, ReferenceOr, Response, SchemaObject, SecurityScheme, StatusCode, Tag,
    },
    transform::{TransformOpenApi, TransformOperation, TransformResponse},
};
use axum::Router;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::Value;

/// Name of the security scheme.
const BEARER: &str = "bearerAuth";

/// What `/openapi.json` serves.
pub fn openapi() -> Value {
    routes().1
}

/// All routes, and their description.
pub(crate) fn routes() -> (Router<App>, Value) {
    // Only what a route says itself is described; guesses from handler types would add nothing that is true for all.
    generate::infer_responses(false);
    generate::extract_schemas(true);
    let mut document = OpenApi::default();
    let router = routes::api().finish_api_with(&mut document, whole);
    // The document is plain data with text keys, which always serialises.
    (router, tidy(serde_json::to_value(document).unwrap_or_default()))
}

fn whole(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    let tag = |name: &str, description: &str| Tag {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        ..Tag::default()
    };
    let bearer = SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: None,
        description: Some(
            "What `gateway.admin_token` names, else the file `admin-token` in the data folder.".to_owned(),
        ),
        extensions: std::iter::empty().collect(),
    };
    api.title("qudao, private API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(
            "What HQ reads: the feed of events, the entities behind it, and the inbox of deliveries; and what HQ wants done. Money is an integer \
             in fen, times are RFC 3339 in UTC, a missing value is an absent member. An empty query parameter is the same as an absent one. Errors are problem documents \
             (RFC 9457) with a stable `code`.",
        )
        .contact(Contact::default())
        .license(License { name: "Apache-2.0".to_owned(), identifier: Some("Apache-2.0".to_owned()), ..License::default() })
        .tag(tag("feed", "Events in order, by cursor."))
        .tag(tag("webhooks", "Endpoints that the feed is sent to, signed."))
        .tag(tag("entities", "Payments, refunds, orders, after-sales, listings, slips and stock as they are now."))
        .tag(tag("files", "Files of ERPs and tills: handing them in, what became of them, which rows were refused."))
        .tag(tag("personal", "Who gets an order, in clear, and who looked."))
        .tag(tag("commands", "What the gateway is to ask a channel to do."))
        .tag(tag("inbox", "Deliveries, byte for byte, and what became of them."))
        .tag(tag("operation", "Channels, what they are going to ask, health, metrics."))
        .security_scheme(BEARER, bearer)
}

/// Groups of responses, in the order in which they are described.
pub(crate) trait Described: Sized {
    /// Name, tag and one sentence.
    fn named(self, id: &str, tag: &str, summary: &str) -> Self;
    /// Wants the token; may find storage in trouble.
    fn closed(self) -> Self;
    /// Reads query parameters.
    fn filtered(self) -> Self;
    /// Reads a body as JSON.
    fn with_body(self) -> Self;
    /// The same, where the body may be left out.
    fn with_body_or_none(self) -> Self;
    /// Reads a header, where there is one.
    fn with_header(self, name: &str, description: &str, schema: Schema) -> Self;
    /// Reads an id that may be unknown.
    fn by_id(self, what: &str) -> Self;
    /// Answers 200 with text of one media type.
    fn text(self, media_type: &str, description: &str) -> Self;
}

impl Described for TransformOperation<'_> {
    fn named(self, id: &str, tag: &str, summary: &str) -> Self {
        self.id(id).tag(tag).summary(summary)
    }

    fn closed(self) -> Self {
        self.security_requirement(BEARER)
            .response_with::<401, Problem, _>(|problem| {
                problem.description("The bearer token is missing or wrong.")
            })
            .response_with::<500, Problem, _>(|problem| problem.description("A bug; the log has the cause."))
            .response_with::<503, Problem, _>(|problem| {
                problem
                    .description("Storage does not answer, or the gateway is going down; see `Retry-After`.")
            })
    }

    fn filtered(self) -> Self {
        self.response_with::<400, Problem, _>(|problem| {
            problem.description("A query parameter is unknown, given twice, or out of its bounds.")
        })
    }

    fn with_body(self) -> Self {
        self.response_with::<400, Problem, _>(|problem| problem.description("The body is wrong."))
            .response_with::<413, Problem, _>(|problem| {
                problem.description("The body is larger than 64 KiB.")
            })
            .response_with::<415, Problem, _>(|problem| {
                problem.description("The body is not declared as JSON.")
            })
    }

    fn with_body_or_none(mut self) -> Self {
        if let Some(ReferenceOr::Item(body)) = &mut self.inner_mut().request_body {
            body.required = false;
        }
        self.with_body()
    }

    fn with_header(mut self, name: &str, description: &str, schema: Schema) -> Self {
        let schema = SchemaObject { json_schema: schema, example: None, external_docs: None };
        let parameter_data = ParameterData {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(schema),
            example: None,
            examples: std::iter::empty().collect(),
            explode: None,
            extensions: std::iter::empty().collect(),
        };
        let header = Parameter::Header { parameter_data, style: HeaderStyle::Simple };
        self.inner_mut().parameters.push(ReferenceOr::Item(header));
        self
    }

    fn by_id(mut self, what: &str) -> Self {
        let described =
            self.inner_mut().responses.iter().any(|all| all.responses.contains_key(&StatusCode::Code(400)));
        let this = if described {
            self
        } else {
            self.response_with::<400, Problem, _>(|problem| {
                problem.description("The path is not percent-encoded UTF-8.")
            })
        };
        this.response_with::<404, Problem, _>(|problem| {
            problem.description(&format!("There is no such {what}."))
        })
    }

    fn text(self, media_type: &str, description: &str) -> Self {
        self.response_with::<200, String, _>(|text| of_media(text.description(description), media_type))
    }
}

/// The same text under another media type.
fn of_media<'t, T>(mut response: TransformResponse<'t, T>, media_type: &str) -> TransformResponse<'t, T> {
    let text =
        SchemaObject { json_schema: json_schema!({"type": "string"}), example: None, external_docs: None };
    let media = MediaType { schema: Some(text), ..MediaType::default() };
    response.inner().content = [(media_type.to_owned(), media)].into_iter().collect();
    response
}

/// Adds octets beside what is there.
pub(crate) fn or_octets<T>(mut response: TransformResponse<'_, T>) -> TransformResponse<'_, T> {
    response.inner().content.insert("application/octet-stream".to_owned(), MediaType::default());
    response
}

/// A response with the schema of `T` under a media type of its own.
pub(crate) fn response<T: JsonSchema>(context: &mut GenContext, media_type: &str) -> Response {
    let schema =
        SchemaObject { json_schema: context.schema.subschema_for::<T>(), example: None, external_docs: None };
    let media = MediaType { schema: Some(schema), ..MediaType::default() };
    Response { content: [(media_type.to_owned(), media)].into_iter().collect(), ..Response::default() }
}
