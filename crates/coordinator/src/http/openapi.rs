//! The OpenAPI document: made from the handlers, with what holds for all of them added here.

use axum::{Json, extract::State, http::Method, response::IntoResponse};
use utoipa::{
    OpenApi, ToSchema as _,
    openapi::{
        OpenApi as Document, Ref, RefOr, Required, ResponseBuilder,
        content::ContentBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{ErrorBody, ON_BEHALF_OF, Scope};

use super::{App, once::KEY};
use crate::programs::{is_own_matter, scopes_of};

/// What is asked by who is not signed in yet, or shows his secret in the body.
const OPEN: [(&str, &str); 8] = [
    ("POST", "/v1/sign-in"),
    ("POST", "/v1/devices"),
    ("POST", "/v1/token"),
    ("POST", "/v1/invites/prove"),
    ("POST", "/v1/asks"),
    ("POST", "/v1/asks/{id}/show"),
    ("POST", "/v1/asks/{id}/outcome"),
    ("GET", "/v1/openapi.json"),
];
/// Requests that may come again.
const REPEATABLE: [&str; 2] = ["/v1/calls/{type}/{id}", "/v1/calls/{type}/{id}/ring"];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bellbird",
        description = "Calls for other programs. Times are UNIX milliseconds of the server's clock; every refusal has the same body, and its `code` is for programs, its `message` for people.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(ErrorBody, wire::ServerMessage, wire::ClientMessage, wire::WebhookEvent)),
    tags(
        (name = "sign-in", description = "Devices, invites, access tokens"),
        (name = "people", description = "Who is there"),
        (name = "calls", description = "Making, ringing, joining, leaving, listing calls"),
        (name = "running", description = "Members, permissions, mutes, signs of a call that goes on"),
        (name = "programs", description = "API keys"),
        (name = "webhooks", description = "What the server tells of its own accord"),
    ),
)]
struct Base;

/// What the handlers' documents are added to.
pub(super) fn base() -> Document {
    Base::openapi()
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(document))
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "programs", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn document(State(app): State<App>) -> impl IntoResponse {
    Json(app.document.clone())
}

/// Adds to every operation what holds for all: parameters of the path, who may ask, and the body of refusals.
pub(super) fn complete(document: &mut Document) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token of a device, or the API key of a program"))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let scopes = scopes_of(&method, path);
            complete_operation(path, &method, scopes, operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete_operation(path: &str, method: &Method, scopes: &[Scope], operation: &mut Operation) {
    let refusal = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name()))).build();
    let refusal = ResponseBuilder::new().description("A refusal").content("application/json", refusal).build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(refusal));
    let parameters = operation.parameters.get_or_insert_default();
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parameters.extend(names.map(|name| parameter(name, ParameterIn::Path, Required::True, "")));
    if method == Method::POST && REPEATABLE.contains(&path) {
        let help = "Asked again with the same key and body, it is answered the same and done once, for 24 hours";
        parameters.push(parameter(KEY, ParameterIn::Header, Required::False, help));
    }
    if OPEN.contains(&(method.as_str(), path)) {
        operation.security = Some(Vec::new());
        return;
    }
    if scopes.is_empty() {
        let only = "For devices, not for programs.";
        let description =
            operation.description.take().map_or_else(|| only.to_owned(), |text| format!("{text}\n\n{only}"));
        operation.description = Some(description);
    } else if !is_own_matter(scopes) {
        let help = "The person for whom a program asks; its key then needs the scope `on-behalf`, too";
        parameters.push(parameter(ON_BEHALF_OF, ParameterIn::Header, Required::False, help));
    }
    let needs = |scopes: &[Scope]| {
        SecurityRequirement::new("bearer", scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>())
    };
    // One of several will do.
    let ways: Vec<SecurityRequirement> =
        if scopes.is_empty() { vec![needs(&[])] } else { scopes.chunks(1).map(needs).collect() };
    operation.security = Some(ways);
}

fn parameter(name: &str, place: ParameterIn, required: Required, help: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let help = Some(help).filter(|help| !help.is_empty());
    let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
    parameter.description(help).schema(Some(text)).build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use crate::{http, programs};

    fn document() -> Value {
        serde_json::to_value(http::described().1).unwrap()
    }

    /// Every reference in a document.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_route_under_v1_is_described_where_it_is_made() {
        let folder = std::path::Path::new("src/http");
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let plain = concat!(".route(", "\"/v1");
            assert!(!text.contains(plain), "routes!() makes a route and describes it; .route() only makes it");
        }
    }

    #[test]
    fn every_path_that_a_key_opens_is_described() {
        let document = document();
        for (method, path) in programs::all().filter(|(_, path)| path.starts_with("/v1")) {
            let operation = &document["paths"][path][method.to_lowercase()];
            assert!(operation.is_object(), "{method} {path} is in the table of scopes and not in the document");
            assert!(operation["security"][0]["bearer"].as_array().is_some_and(|scopes| !scopes.is_empty()));
        }
    }

    #[test]
    fn every_operation_says_what_it_does_and_how_it_refuses() {
        let document = document();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let summary = operation["summary"].as_str().unwrap_or_default();
                assert!(!summary.is_empty(), "{method} {path} has no summary");
                let refusal = &operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(refusal, "#/components/schemas/ErrorBody", "{method} {path}");
                assert!(operation["security"].is_array(), "{method} {path}");
            }
        }
    }

    #[test]
    fn acting_for_a_person_is_described_where_it_is_possible() {
        let document = document();
        let names_a_person = |path: &str, method: &str| {
            let parameters = document["paths"][path][method]["parameters"].as_array().unwrap();
            parameters.iter().any(|parameter| parameter["name"] == wire::ON_BEHALF_OF)
        };
        assert!(names_a_person("/v1/invites", "post") && names_a_person("/v1/calls/{type}/{id}/ring", "post"));
        assert!(!names_a_person("/v1/webhooks", "post") && !names_a_person("/v1/webhooks/{hook}", "delete"));
        assert!(!names_a_person("/v1/people/{id}", "put") && !names_a_person("/v1/people/{id}/sign-out", "post"));
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = document();
        let items = document["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|item| item.as_object().unwrap().values());
        let mut names = BTreeSet::new();
        for operation in operations {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "two operations are called {name}");
        }
        assert!(names.len() > 40, "{names:?}");
    }

    #[test]
    fn a_time_of_49_days_fits_into_what_the_document_says_of_it() {
        let life = document()["components"]["schemas"]["CreateInvite"]["properties"]["expires_in_ms"].clone();
        assert_eq!(life["format"], "int64", "{life}");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 40, "{found:?}");
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }
}
