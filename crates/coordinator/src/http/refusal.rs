//! The one form of every refusal: status and error body.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use wire::{Code, ErrorBody};

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refusal(ErrorBody);

impl From<ErrorBody> for Refusal {
    fn from(body: ErrorBody) -> Self {
        Self(body)
    }
}

#[cfg(test)]
impl Refusal {
    pub(crate) fn into_body(self) -> ErrorBody {
        self.0
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (status(self.0.code), Json(self.0)).into_response()
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated | Code::TokenExpired => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied | Code::InBackstage | Code::Blocked => StatusCode::FORBIDDEN,
        Code::CallNotFound => StatusCode::NOT_FOUND,
        Code::CallEnded | Code::RingOver => StatusCode::GONE,
        Code::AnsweredElsewhere | Code::CallFull | Code::Conflict => StatusCode::CONFLICT,
        Code::InvalidRequest => StatusCode::BAD_REQUEST,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::UnsupportedVersion => StatusCode::UPGRADE_REQUIRED,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(crate) async fn no_such_path() -> Response {
    let body = ErrorBody::new(
        Code::UnsupportedVersion,
        "this server has no such path: app and server may be of versions that do not fit",
    );
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

pub(crate) async fn no_such_method() -> Response {
    let body = ErrorBody::invalid("method", "this path is not asked in this way: see the header allow");
    (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response()
}
