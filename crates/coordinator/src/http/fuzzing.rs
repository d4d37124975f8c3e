//! What reads bytes from outside and is private to the handlers, for the targets in fuzz/.

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, Uri},
};
use serde::de::DeserializeOwned;
use wire::{
    AnswerAsk, Ask, CallFilter, CallId, CallOrder, CreateApiKey, CreateWebhook, DoNotDisturb, ErrorBody, ON_BEHALF_OF,
    PeopleQuery, ProveInvite, PutPerson, Rename, ShowNumber, SignInByToken,
};

use super::{
    asker::acted_for,
    lists::{HistoryQuery, check, page_size},
    parse,
    people::{text, wished_id},
    webhooks::DeliveryQuery,
};
use crate::{
    store::{PersonPlace, Place},
    webhooks::{Reach, check_url, read_secret},
};

/// A query, a path or a header of a request, which the first byte chooses.
pub(crate) fn queries(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if *kind == b'o' {
        let Ok(value) = HeaderValue::from_bytes(rest) else { return };
        _ = acted_for(&HeaderMap::from_iter([(ON_BEHALF_OF.parse().expect("a header's name"), value)]));
        return;
    }
    let Ok(words) = std::str::from_utf8(rest) else { return };
    match kind {
        b'p' => {
            if let Some(query) = query::<PeopleQuery>(words) {
                _ = (query.search.as_deref().map(|search| text("search", search)), page_size(query.limit));
                _ = query.after.as_deref().map(PersonPlace::read);
            }
        }
        b'h' => _ = query::<HistoryQuery>(words),
        b'd' => _ = query::<DeliveryQuery>(words),
        b'c' => _ = [CallOrder::Newest, CallOrder::Oldest, CallOrder::StartsAt].map(|order| Place::read(words, order)),
        b'i' => {
            let (kind, id) = words.split_once('/').unwrap_or((words, ""));
            if let Ok(cid) = CallId::new(kind, id) {
                assert_eq!(cid.to_string().parse(), Ok(cid));
            }
        }
        _ => {}
    }
}

fn query<T: DeserializeOwned>(text: &str) -> Option<T> {
    let uri: Uri = format!("/?{text}").parse().ok()?;
    Query::try_from_uri(&uri).ok().map(|Query(query)| query)
}

/// A body of a request that bears on no call, and what its handler checks before it does anything.
pub(crate) fn body_beside_calls(kind: u8, body: &[u8]) -> Result<(), ErrorBody> {
    match kind {
        b'q' => parse(body).and_then(|filter: CallFilter| check(&filter)),
        b'r' => parse(body).and_then(|request: SignInByToken| text("device_name", &request.device_name).map(|_| ())),
        b's' => parse(body).map(|_: ShowNumber| ()),
        b't' => parse(body).map(|_: ProveInvite| ()),
        b'u' => parse(body).and_then(|ask: Ask| text("name", &ask.name).map(|_| ())),
        b'v' => parse(body).map(|_: AnswerAsk| ()),
        b'w' => parse(body).and_then(|Rename { name }| text("name", &name).map(|_| ())),
        b'x' => parse(body).map(|wish: DoNotDisturb| _ = wish.problem()),
        b'y' => parse(body).and_then(|person: PutPerson| text("name", &person.name).map(|_| ())),
        b'z' => parse(body).and_then(|key: CreateApiKey| wished_id(key.user_id.as_ref(), &key.name, 1).map(|_| ())),
        b'A' => parse(body).and_then(|hook: CreateWebhook| {
            hook.secret.as_deref().map_or(Ok(()), |secret| read_secret(secret).map(|_| ()))?;
            check_url(&hook.url, Reach::Anywhere).map(|_| ())
        }),
        _ => Ok(()),
    }
}
