//! Lists that people use: calls by filter, history by page.

use axum::{extract::State, response::IntoResponse};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{CallFilter, CallId, CallOrder, CallPage, ErrorBody, HistoryPage};

use super::{App, Body, Query, Refusal, SignedIn, json, people::text};
use crate::{
    authority::check_custom,
    hub::Request,
    limits::Limit,
    store::{Lines, Listed, Place, fits},
};

/// Calls and history lines of a page when nobody says, and at most.
const PAGE: u32 = 25;
const LARGEST_PAGE: u32 = 100;
/// Calls that are read at once for a page, and how often: few may fit the filter, and be for the asker to read.
const AT_ONCE: i64 = 200;
const LOOKS: u32 = 10;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(query)).routes(routes!(history))
}

/// Calls by filter, in an order, by page.
#[utoipa::path(
    post,
    path = "/v1/calls/query",
    tag = "calls",
    request_body = CallFilter,
    responses((status = 200, description = "Done", body = CallPage))
)]
async fn query(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Body(filter): Body<CallFilter>,
) -> Result<impl IntoResponse, Refusal> {
    app.limits.take(Limit::List, who.user.as_str())?;
    let limit = page_size(filter.limit)? as usize;
    check(&filter)?;
    let mut behind = filter.cursor.as_deref().map(|cursor| place(cursor, filter.sort)).transpose()?;
    let mut page = CallPage { calls: Vec::new(), next: None };
    for _ in 0..LOOKS {
        let found = app.store.list(&filter, behind.as_ref(), AT_ONCE).await.map_err(ErrorBody::from)?;
        let is_last = (found.len() as i64) < AT_ONCE;
        let Some(end) = found.last().map(|listed| listed.place.clone()) else { return Ok(json(page)) };
        let read = found.into_iter().filter_map(|Listed { place, call }| Some((place, call?)));
        let (places, calls): (Vec<_>, Vec<_>) = read.filter(|(_, call)| fits(&filter, call)).unzip();
        let reader = who.clone();
        let views = app.hub.ask(|reply| Request::Views { who: reader, calls, reply }).await?;
        for (place, view) in places.into_iter().zip(views) {
            page.calls.extend(view);
            if page.calls.len() == limit {
                page.next = (!is_last || place != end).then(|| place.cursor(filter.sort));
                return Ok(json(page));
            }
        }
        if is_last {
            return Ok(json(page));
        }
        behind = Some(end);
    }
    // Few of very many calls fit, or may be read: the next page looks on from here.
    page.next = behind.map(|place| place.cursor(filter.sort));
    Ok(json(page))
}

/// What is looked for keeps the rules of what can be found.
pub(super) fn check(filter: &CallFilter) -> Result<(), ErrorBody> {
    if let Some(call_type) = &filter.call_type {
        CallId::new(call_type, "x").map_err(|error| ErrorBody::invalid("call_type", error.to_string()))?;
    }
    if let Some(team) = &filter.team {
        text("team", team)?;
    }
    check_custom("custom", &filter.custom)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Where the page before ended.
    before: Option<i64>,
    /// Most lines of a page, 1 to 100; 25 if absent.
    limit: Option<u32>,
    /// Only missed calls that nobody has looked at.
    #[serde(default)]
    unseen: bool,
}

/// The history of the person who asks, newest first.
#[utoipa::path(
    get,
    path = "/v1/history",
    tag = "calls",
    params(HistoryQuery),
    responses((status = 200, description = "Done", body = HistoryPage))
)]
async fn history(
    State(app): State<App>,
    SignedIn { who, .. }: SignedIn,
    Query(query): Query<HistoryQuery>,
) -> Result<impl IntoResponse, Refusal> {
    let limit = page_size(query.limit)?;
    let which = if query.unseen { Lines::Unseen } else { Lines::All };
    Ok(json(app.store.history_before(&who.user, which, query.before, limit).await.map_err(ErrorBody::from)?))
}

pub(super) fn page_size(wished: Option<u32>) -> Result<u32, ErrorBody> {
    let limit = wished.unwrap_or(PAGE);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(ErrorBody::invalid("limit", "a page has 1 to 100 entries"))
}

fn place(cursor: &str, order: CallOrder) -> Result<Place, ErrorBody> {
    Place::read(cursor, order).ok_or_else(|| {
        let message = "this cursor was not made by this server for a list in this order: begin with the first page";
        ErrorBody::invalid("cursor", message)
    })
}
