//! Lists of calls and history through the server: every filter, every order, page by page, while calls are made.

use std::{collections::BTreeSet, num::NonZeroU32, path::Path};

use coordinator::{Config, Server};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

struct House {
    server: Server,
    client: Client,
    ann: String,
    ben: String,
}

impl House {
    async fn new(folder: &Path) -> Self {
        let config = Config { limits_factor: NonZeroU32::new(100).unwrap(), ..Config::new(folder.to_owned()) };
        let server = Server::start(config).await.unwrap();
        let code = server.admin_invite().await.unwrap().code;
        let mut house = Self { server, client: Client::new(), ann: String::new(), ben: String::new() };
        house.ann = house.signs_in(&json!(code), "Ann").await;
        let invite = house.ask(&house.ann, Method::POST, "invites", json!({ "team": "red" })).await;
        house.ben = house.signs_in(&invite["code"], "Ben").await;
        house
    }

    async fn signs_in(&self, code: &Value, name: &str) -> String {
        let wish = json!({ "code": code, "name": name, "device_name": "test" });
        let signed_in = self.ask("", Method::POST, "sign-in", wish).await;
        signed_in["access"]["token"].as_str().unwrap().to_owned()
    }

    /// Of a refusal, its body.
    async fn ask(&self, token: &str, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}/v1/{path}", self.server.url());
        let request = self.client.request(method, url).bearer_auth(token).body(body.to_string());
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    async fn makes(&self, cid: &str, data: Value) {
        self.is_made_by(&self.ann, cid, data).await;
    }

    async fn is_made_by(&self, token: &str, cid: &str, data: Value) {
        let path = format!("calls/{}", cid.replace(':', "/"));
        let made = self.ask(token, Method::POST, &path, json!({ "data": data })).await;
        assert_eq!(made["created"], json!(true), "{made}");
    }

    async fn page(&self, token: &str, filter: &Value) -> (Vec<String>, Option<Value>) {
        let page = self.ask(token, Method::POST, "calls/query", filter.clone()).await;
        let calls = page["calls"].as_array().unwrap_or_else(|| panic!("{page}"));
        let cids = calls.iter().map(|state| state["call"]["cid"].as_str().unwrap().to_owned());
        (cids.collect(), page.get("next").cloned())
    }

    /// Every page, one behind the other.
    async fn all(&self, token: &str, filter: Value) -> Vec<String> {
        let (mut all, mut filter) = (Vec::new(), filter);
        loop {
            let (page, next) = self.page(token, &filter).await;
            all.extend(page);
            match next {
                Some(next) => filter["cursor"] = next,
                None => return all,
            }
        }
    }

    async fn finds(&self, filter: Value) -> Vec<String> {
        let mut found = self.all(&self.ann, filter).await;
        found.sort();
        found
    }

    async fn damage(&self, folder: &Path, statement: &str) {
        let options = SqliteConnectOptions::new().filename(folder.join("bellbird.db"));
        let mut database = options.connect().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    }
}

#[tokio::test]
async fn every_filter_finds_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path()).await;
    let ben = json!([{ "user": "ben" }]);
    house.makes("default:plain", json!({ "members": ben })).await;
    house.makes("livestream:show", json!({ "starts_at": 2_000_000_000_000_i64 })).await;
    house.makes("default:late", json!({ "starts_at": 2_000_000_100_000_i64 })).await;
    house.is_made_by(&house.ben, "default:red", json!({ "team": "red" })).await;
    let custom = json!({ "n": 1, "yes": true, "none": null, "a \"quoted\\ name": "x", "deep": { "list": [1, "2"] } });
    house.makes("default:custom", json!({ "custom": custom })).await;
    house.ask(&house.ann, Method::POST, "calls/default/plain/join", json!({})).await;
    let all = ["default:custom", "default:late", "default:plain", "default:red", "livestream:show"];
    assert_eq!(house.finds(json!({})).await, all);
    for (filter, found) in [
        (json!({ "call_type": "livestream" }), vec!["livestream:show"]),
        (json!({ "call_type": "live" }), vec![]),
        (json!({ "member": "ben" }), vec!["default:plain", "default:red"]),
        (json!({ "member": "cem" }), vec![]),
        (json!({ "team": "red" }), vec!["default:red"]),
        (json!({ "team": "blue" }), vec![]),
        (json!({ "has_session": true }), vec!["default:plain"]),
        (json!({ "has_session": false }), vec!["default:custom", "default:late", "default:red", "livestream:show"]),
        (json!({ "starts_from": 2_000_000_100_000_i64 }), vec!["default:late"]),
        (json!({ "starts_before": 2_000_000_100_000_i64 }), vec!["livestream:show"]),
        (json!({ "starts_from": 1, "sort": "starts_at" }), vec!["default:late", "livestream:show"]),
        (json!({ "sort": "starts_at", "call_type": "default" }), vec!["default:late"]),
        (json!({ "custom": { "n": 1 } }), vec!["default:custom"]),
        (json!({ "custom": { "n": 1.0 } }), vec!["default:custom"]),
        (json!({ "custom": { "n": true } }), vec![]),
        (json!({ "custom": { "yes": true } }), vec!["default:custom"]),
        (json!({ "custom": { "yes": 1 } }), vec![]),
        (json!({ "custom": { "none": null } }), vec!["default:custom"]),
        (json!({ "custom": { "n": null } }), vec![]),
        (json!({ "custom": { "absent": null } }), vec![]),
        (json!({ "custom": { "a \"quoted\\ name": "x" } }), vec!["default:custom"]),
        (json!({ "custom": { "deep": { "list": [1, "2"] } } }), vec!["default:custom"]),
        (json!({ "custom": { "n": 1, "yes": false } }), vec![]),
        (json!({ "member": "ben", "has_session": true, "call_type": "default" }), vec!["default:plain"]),
    ] {
        assert_eq!(house.finds(filter.clone()).await, found, "{filter}");
    }
    // Who may not read a call does not find it; an admin may read them all.
    let invite = house.ask(&house.ann, Method::POST, "invites", json!({})).await;
    let cem = house.signs_in(&invite["code"], "Cem").await;
    assert_eq!(house.all(&house.ben, json!({ "team": "red", "limit": 1 })).await, ["default:red"]);
    assert_eq!(house.all(&cem, json!({ "team": "red" })).await, [""; 0]);
    assert_eq!(house.all(&cem, json!({ "limit": 1 })).await.len(), 4);
}

#[tokio::test]
async fn pages_follow_each_other_in_every_order_while_calls_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path()).await;
    let mut made = Vec::new();
    for number in 0..7 {
        let cid = format!("default:c{number}");
        house.makes(&cid, json!({ "starts_at": 2_000_000_000_000_i64 + number % 3 })).await;
        made.push(cid);
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    }
    let newest: Vec<_> = made.iter().rev().cloned().collect();
    let by_start = [0, 3, 6, 1, 4, 2, 5].map(|number| format!("default:c{number}"));
    for (sort, order) in [("oldest", made.clone()), ("newest", newest), ("starts_at", by_start.to_vec())] {
        for limit in 1..=8 {
            let found = house.all(&house.ann, json!({ "sort": sort, "limit": limit })).await;
            assert_eq!(found, order, "{sort} {limit}");
        }
        let (page, next) = house.page(&house.ann, &json!({ "sort": sort, "limit": 7 })).await;
        assert_eq!((page.len(), next), (7, None), "{sort}: a page that ends with the list is the last");
        // The next page begins where this one ended, whatever came before it.
        let mut filter = json!({ "sort": sort, "limit": 3 });
        let (first, next) = house.page(&house.ann, &filter).await;
        house.makes(&format!("default:new-{sort}"), json!({})).await;
        filter["cursor"] = next.unwrap();
        let (second, _) = house.page(&house.ann, &filter).await;
        assert_eq!([first, second].concat(), order[..6], "{sort}");
        let other = if sort == "newest" { "oldest" } else { "newest" };
        filter["sort"] = json!(other);
        let refused = house.ask(&house.ann, Method::POST, "calls/query", filter).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid-request"), &json!("cursor")));
        house.damage(folder.path(), &format!("DELETE FROM calls WHERE cid = 'default:new-{sort}'")).await;
    }
}

#[tokio::test]
async fn a_damaged_row_ends_no_list_and_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path()).await;
    for number in 0..6 {
        house.makes(&format!("default:c{number}"), json!({})).await;
        let ring = json!({ "ring": true, "data": { "members": [{ "user": "ben" }] } });
        house.ask(&house.ann, Method::POST, &format!("calls/default/c{number}"), ring).await;
        house.ask(&house.ann, Method::POST, &format!("calls/default/c{number}/leave"), json!({})).await;
    }
    for statement in [
        "UPDATE calls SET document = 'no JSON' WHERE cid = 'default:c1'",
        "UPDATE calls SET document = '{}' WHERE cid = 'default:c2'",
        "UPDATE calls SET cid = CAST(X'fffe00' AS TEXT), document = CAST(X'fffe00' AS TEXT) WHERE cid = 'default:c4'",
        "UPDATE history SET document = 'no JSON' WHERE person = 'ben' AND id % 4 < 2",
    ] {
        house.damage(folder.path(), statement).await;
    }
    for limit in [1, 2, 25] {
        let found = house.finds(json!({ "limit": limit })).await;
        assert_eq!(found, ["default:c0", "default:c3", "default:c5"], "{limit}");
        for filter in ["", "&unseen=true"] {
            let (mut lines, mut before) = (BTreeSet::new(), String::new());
            loop {
                let path = format!("history?limit={limit}{filter}{before}");
                let page = house.ask(&house.ben, Method::GET, &path, json!({})).await;
                lines.extend(page["entries"].as_array().unwrap().iter().map(|line| line["id"].as_i64().unwrap()));
                match page.get("next") {
                    Some(next) => before = format!("&before={next}"),
                    None => break,
                }
            }
            assert!(lines.len() >= 2 && lines.iter().all(|id| id % 4 >= 2), "{limit}{filter}: {lines:?}");
        }
    }
}

#[tokio::test]
async fn missed_calls_are_seen_up_to_the_line_that_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path()).await;
    let misses = async |cid: &str| {
        let ring = json!({ "ring": true, "data": { "members": [{ "user": "ben" }] } });
        house.ask(&house.ann, Method::POST, &format!("calls/default/{cid}"), ring).await;
        house.ask(&house.ann, Method::POST, &format!("calls/default/{cid}/leave"), json!({})).await;
    };
    let unseen = async || {
        let page = house.ask(&house.ben, Method::GET, "history?unseen=true", json!({})).await;
        let lines = page["entries"].as_array().unwrap().clone();
        lines.iter().map(|line| line["cid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    misses("a").await;
    let page = house.ask(&house.ben, Method::GET, "history?unseen=true", json!({})).await;
    let read = page["entries"][0]["id"].clone();
    misses("b").await;
    house.ask(&house.ben, Method::POST, "missed/seen", json!({ "up_to": read })).await;
    assert_eq!(unseen().await, ["default:b"], "it was missed after the list was read");
    let history = house.ask(&house.ben, Method::GET, "history", json!({})).await;
    assert_eq!(history["entries"].as_array().unwrap().len(), 2);
    house.ask(&house.ben, Method::POST, "missed/seen", json!({})).await;
    assert_eq!(unseen().await, [""; 0]);
}

#[tokio::test]
async fn people_are_found_in_capital_letters_and_listed_page_by_page_while_they_change_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path()).await;
    let invite = house.ask(&house.ann, Method::POST, "invites", json!({ "uses": 2 })).await;
    house.signs_in(&invite["code"], "Иван").await;
    house.signs_in(&invite["code"], "Cem").await;
    let people = async |query: &str| {
        let page = house.ask(&house.ann, Method::GET, &format!("people?{query}"), json!({})).await;
        let people = page["people"].as_array().unwrap_or_else(|| panic!("{page}"));
        let names: Vec<_> = people.iter().map(|person| person["name"].as_str().unwrap().to_owned()).collect();
        (names, page["next"].as_str().map(str::to_owned))
    };
    // "ИВАН" as it stands in a query.
    assert_eq!(people("search=%D0%98%D0%92%D0%90%D0%9D").await.0, ["Иван"]);
    let (first, next) = people("limit=2").await;
    assert_eq!(first, ["Ann", "Ben"]);
    house.ask(&house.ben, Method::PUT, "me/name", json!({ "name": "Özgür" })).await;
    let (second, next) = people(&format!("limit=2&after={}", next.unwrap())).await;
    assert_eq!(second, ["Cem", "Özgür"], "he was last of the first page");
    assert_eq!(people(&format!("limit=2&after={}", next.unwrap())).await, (vec!["Иван".to_owned()], None));
    assert_eq!(people("search=%C3%96ZG").await.0, ["Özgür"], "by his new name");
    let refused = house.ask(&house.ann, Method::GET, "people?after=ann", json!({})).await;
    assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid-request"), &json!("after")), "{refused}");
}
