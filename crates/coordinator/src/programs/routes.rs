//! Which scope of an API key opens which path: the whole table. What is not in it is for devices alone.

use Scope::{CallsRead, CallsWrite, Invites, Metrics, PeopleRead, PeopleWrite, Ring, Webhooks};
use axum::http::Method;
use wire::Scope;

/// Method, path, and the scopes of which one is needed.
const ROUTES: &[(&str, &str, &[Scope])] = &[
    // Ringing makes the call, too; what the body asks for decides which of the two it takes.
    ("POST", "/v1/calls/{type}/{id}", &[CallsWrite, Ring]),
    ("GET", "/v1/calls/{type}/{id}", &[CallsRead]),
    ("PATCH", "/v1/calls/{type}/{id}", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/ring", &[Ring]),
    // A caller cancels by leaving.
    ("POST", "/v1/calls/{type}/{id}/leave", &[Ring, CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/reject", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/end", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/members", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/remove", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/block", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/unblock", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/permissions", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/mute", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/go-live", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/stop-live", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/pin", &[CallsWrite]),
    ("POST", "/v1/calls/{type}/{id}/unpin", &[CallsWrite]),
    ("POST", "/v1/calls/query", &[CallsRead]),
    ("GET", "/v1/history", &[CallsRead]),
    ("GET", "/v1/people", &[PeopleRead]),
    ("PUT", "/v1/people/{id}", &[PeopleWrite]),
    ("POST", "/v1/people/{id}/sign-out", &[PeopleWrite]),
    ("POST", "/v1/invites", &[Invites]),
    ("GET", "/v1/invites", &[Invites]),
    ("DELETE", "/v1/invites/{invite}", &[Invites]),
    ("POST", "/v1/webhooks", &[Webhooks]),
    ("GET", "/v1/webhooks", &[Webhooks]),
    ("DELETE", "/v1/webhooks/{hook}", &[Webhooks]),
    ("POST", "/v1/webhooks/{hook}/enable", &[Webhooks]),
    ("GET", "/v1/webhooks/{hook}/deliveries", &[Webhooks]),
    ("GET", "/metrics", &[Metrics]),
];

/// The scopes of which a key needs one; none opens what only devices may do. Asking for the head alone is asking for less.
pub(crate) fn scopes_of(method: &Method, path: &str) -> &'static [Scope] {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let route = ROUTES.iter().find(|(known, pattern, _)| *known == method.as_str() && *pattern == path);
    route.map_or(&[], |(_, _, scopes)| scopes)
}

/// What a program does as itself alone, never for a person: its own hooks, and people, whom its scope lets it change and
/// the person it would act for may not.
pub(crate) fn is_own_matter(wanted: &[Scope]) -> bool {
    wanted.iter().any(|scope| match scope {
        PeopleWrite | Webhooks => true,
        CallsRead | CallsWrite | Invites | Metrics | PeopleRead | Ring | Scope::OnBehalf => false,
    })
}

#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().map(|(method, path, _)| (*method, *path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_what_a_key_may_get_is_open_to_it() {
        assert_eq!(scopes_of(&Method::HEAD, "/v1/people"), [PeopleRead]);
        assert_eq!(scopes_of(&Method::HEAD, "/metrics"), [Metrics]);
        assert_eq!(scopes_of(&Method::HEAD, "/v1/devices"), []);
        assert_eq!(scopes_of(&Method::HEAD, "/v1/calls/query"), [], "nothing is got there");
    }
}
