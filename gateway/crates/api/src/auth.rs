//! The bearer token.

use crate::problem::{Code, Problem};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What a load balancer may ask without a token.
pub(crate) const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// Lets a request through when its path is open or its token is right.
pub(crate) async fn require(
    State(token): State<Arc<Zeroizing<String>>>,
    request: Request,
    next: Next,
) -> Response {
    if OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match bearer(request.headers()) {
        Some(given) if is_right(given, &token) => next.run(request).await,
        Some(_) => refused("the bearer token is not the one of this gateway"),
        None => refused("there is no bearer token"),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Takes the same time wherever two tokens of one length differ. An empty token is never right.
fn is_right(given: &str, token: &str) -> bool {
    !token.is_empty() && bool::from(given.as_bytes().ct_eq(token.as_bytes()))
}

fn refused(detail: &str) -> Response {
    let hint = "send `Authorization: Bearer TOKEN`; the token is what gateway.admin_token names, else the file \
                admin-token in the data folder";
    Problem::new(Code::Unauthorized, detail, hint).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_right() {
        assert!(is_right("secret", "secret"));
        for wrong in ["", "s", "secre", "secret ", "Secret", "secrets"] {
            assert!(!is_right(wrong, "secret"), "{wrong:?}");
        }
        assert!(!is_right("", ""));
    }

    #[test]
    fn reads_the_scheme_in_any_case() {
        for (value, expect) in [
            ("Bearer a", Some("a")),
            ("bearer a", Some("a")),
            ("BEARER  a", Some("a")),
            ("Basic a", None),
            ("Bearer", None),
            ("a", None),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(bearer(&headers), expect, "{value:?}");
        }
    }
}
