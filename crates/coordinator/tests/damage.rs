//! A database that is locked or damaged: what it costs is what was hit, and the server lives.

use std::{path::Path, time::Duration};

use axum::{Router, routing::post};
use coordinator::{Config, Reach, Server};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

/// A server with one person on it, and the person's way to it.
struct House {
    server: Server,
    client: Client,
    token: String,
    device: (String, String),
}

impl House {
    async fn new(folder: &Path) -> Self {
        let server = start(folder).await;
        let client = Client::new();
        let invite = server.admin_invite().await.expect("a new server has an invite");
        let wish = json!({ "code": invite.code, "name": "Ann", "device_name": "test" });
        let mut house = Self { server, client, token: String::new(), device: Default::default() };
        let (_, signed_in) = house.ask(Method::POST, "sign-in", wish).await;
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        house.token = text(&signed_in["access"]["token"]);
        house.device = (text(&signed_in["device"]), text(&signed_in["refresh_secret"]));
        // Somebody to ring.
        let (_, made) = house.ask(Method::POST, "invites", json!({})).await;
        let wish = json!({ "code": made["code"], "name": "Ben", "device_name": "test" });
        house.ask(Method::POST, "sign-in", wish).await;
        house
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("http://{}/v1/{path}", self.server.address());
        let request = self.client.request(method, url).bearer_auth(&self.token).body(body.to_string());
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or_default())
    }

    async fn rings(&self, id: &str) -> (u16, Value) {
        let ring = json!({ "ring": true, "data": { "members": [{ "user": "ben" }] } });
        self.ask(Method::POST, &format!("calls/default/{id}"), ring).await
    }

    async fn reads(&self, id: &str) -> (u16, Value) {
        self.ask(Method::GET, &format!("calls/default/{id}"), json!({})).await
    }

    /// Ends the server and starts it again on the same data.
    async fn restart(&mut self, folder: &Path, meanwhile: &[&str]) {
        let stopped = std::mem::replace(&mut self.server, start(&folder.join("meanwhile")).await);
        stopped.shutdown().await;
        damage(folder, meanwhile).await;
        self.server = start(folder).await;
        let token = json!({ "device": self.device.0, "refresh_secret": self.device.1 });
        let (status, access) = self.ask(Method::POST, "token", token).await;
        assert_eq!(status, 200, "{access}");
        self.token = access["token"].as_str().expect("text").to_owned();
    }
}

async fn start(folder: &Path) -> Server {
    let config = Config { webhooks: Reach::Anywhere, ..Config::new(folder.to_owned()) };
    Server::start(config).await.expect("the server starts")
}

/// The same database from another program.
async fn database(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("bellbird.db"));
    options.connect().await.expect("the database opens")
}

async fn damage(folder: &Path, statements: &[&str]) {
    let mut database = database(folder).await;
    for statement in statements {
        let done = sqlx::query(sqlx::AssertSqlSafe(*statement)).execute(&mut database).await;
        assert!(done.expect(statement).rows_affected() > 0, "{statement}: nothing was hit");
    }
    database.close().await.expect("the database closes");
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_no_ring_is_half_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::new(folder.path()).await;
    let mut other = database(folder.path()).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.expect("locked");
    let (status, refusal) = house.rings("x").await;
    assert_eq!((status, &refusal["code"]), (503, &json!("unavailable")));
    assert_eq!(house.reads("x").await.1["code"], "call-not-found", "it is as if it had never been asked for");
    sqlx::query("ROLLBACK").execute(&mut other).await.expect("unlocked");
    let (status, answer) = house.rings("x").await;
    assert_eq!((status, &answer["created"]), (200, &json!(true)));
    let history = house.ask(Method::GET, "history", json!({})).await.1;
    assert_eq!(history["entries"], json!([]), "the caller's line comes with the outcome");
}

#[tokio::test]
async fn a_damaged_row_costs_itself_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = House::new(folder.path()).await;
    for id in ["call", "ring", "text", "whole"] {
        assert_eq!(house.rings(id).await.0, 200);
        // A cancel is in both histories.
        if id != "whole" {
            house.ask(Method::POST, &format!("calls/default/{id}/leave"), json!({})).await;
            house.rings(id).await;
        }
    }
    let statements = [
        "UPDATE calls SET document = '{' WHERE cid = 'default:call'",
        "UPDATE calls SET ring = '[7]' WHERE cid = 'default:ring'",
        "UPDATE calls SET ring = CAST(X'fffe00' AS TEXT) WHERE cid = 'default:text'",
        "UPDATE history SET document = CAST(X'fffe00' AS TEXT) WHERE id = (SELECT min(id) FROM history WHERE person = 'ann')",
        "INSERT INTO people (id, name, role, created_at) VALUES ('b ad', 'Bad', '7', 0)",
        "INSERT INTO call_types (name, document) VALUES ('bad', 'no JSON')",
    ];
    house.restart(folder.path(), &statements).await;
    assert_eq!(house.reads("whole").await.1["ring"]["targets"][0]["outcome"], "ringing");
    for id in ["ring", "text"] {
        let (status, call) = house.reads(id).await;
        assert_eq!((status, &call["ring"]), (200, &Value::Null), "{id}: the call goes on without its ring");
        assert_eq!(house.rings(id).await.0, 200, "{id}: and rings anew");
    }
    assert_eq!(house.reads("call").await.1["code"], "unavailable");
    assert_eq!(house.rings("call").await.1["code"], "unavailable", "what is damaged is not written over");
    let (_, refusal) = house.ask(Method::POST, "calls/bad/1", json!({})).await;
    assert_eq!(refusal["code"], "permission-denied", "who may do what in calls of this type is not known: {refusal}");
    let (status, history) = house.ask(Method::GET, "history", json!({})).await;
    assert_eq!((status, history["entries"].as_array().map(Vec::len)), (200, Some(2)), "{history}");
    let (status, snapshot) = house.ask(Method::GET, "snapshot", json!({})).await;
    assert_eq!((status, snapshot["history"].as_array().map(Vec::len)), (200, Some(2)), "{snapshot}");
}

#[tokio::test]
async fn a_row_that_is_damaged_while_the_server_runs_costs_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::new(folder.path()).await;
    for id in ["bad", "good"] {
        let made = house.ask(Method::POST, &format!("calls/default/{id}"), json!({})).await;
        assert_eq!(made.0, 200, "{made:?}");
    }
    damage(folder.path(), &["UPDATE calls SET document = CAST(X'fffe00' AS TEXT) WHERE cid = 'default:bad'"]).await;
    assert_eq!(house.reads("bad").await.1["code"], "unavailable");
    assert_eq!(house.reads("good").await.0, 200);
    let listed = house.ask(Method::POST, "calls/query", json!({})).await.1;
    assert_eq!(listed["calls"].as_array().map(Vec::len), Some(1), "{listed}");
    damage(folder.path(), &["UPDATE people SET role = 'x' WHERE id = 'ben'"]).await;
    assert_eq!(house.rings("good").await.0, 200, "who is known is known");
}

/// What comes to a program that takes every event, and where it listens.
async fn receiver() -> (mpsc::Receiver<Value>, String) {
    let (told, events) = mpsc::channel(100);
    let take = async move |body: String| {
        told.send(serde_json::from_str(&body).unwrap_or_default()).await.expect("the test listens");
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/{hook}", post(take))).await });
    (events, format!("http://{address}"))
}

#[tokio::test]
async fn a_damaged_hook_key_or_event_costs_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = House::new(folder.path()).await;
    let (mut events, address) = receiver().await;
    for name in ["list", "text", "whole"] {
        let key = house.ask(Method::POST, "api-keys", json!({ "name": name, "scopes": ["ring"] })).await;
        let hook = json!({ "url": format!("{address}/{name}"), "events": ["ring.started"] });
        let hook = house.ask(Method::POST, "webhooks", hook).await;
        assert_eq!((key.0, hook.0), (200, 200), "{key:?} {hook:?}");
    }
    let statements = [
        "UPDATE webhooks SET events = '[' WHERE url LIKE '%/list'",
        "UPDATE webhooks SET secret = CAST(X'fffe00' AS TEXT) WHERE url LIKE '%/text'",
        "UPDATE webhooks SET id = CAST(X'fffe00' AS TEXT), registered_by = (SELECT id FROM api_keys WHERE name = 'list') \
         WHERE url LIKE '%/text'",
        "UPDATE api_keys SET scopes = '[', expires_at = 1 WHERE name = 'list'",
        "UPDATE api_keys SET name = CAST(X'fffe00' AS TEXT) WHERE name = 'text'",
        "INSERT INTO webhook_events (id, at, body) VALUES ('no id', unixepoch() * 1000, '{}'), \
         ('list', unixepoch() * 1000, '['), ('text', unixepoch() * 1000, CAST(X'fffe00' AS TEXT))",
        "INSERT INTO deliveries (hook, event, created_at, next_at) \
         SELECT webhooks.id, webhook_events.id, 0, 0 FROM webhook_events, webhooks WHERE url LIKE '%/whole'",
    ];
    house.restart(folder.path(), &statements).await;
    assert_eq!(house.rings("x").await.0, 200);
    let told = timeout(Duration::from_secs(20), events.recv()).await.expect("it is told").expect("an event");
    assert_eq!((&told["type"], &told["cid"]), (&json!("ring.started"), &json!("default:x")));
    let keys = house.ask(Method::GET, "api-keys", json!({})).await.1;
    assert_eq!((keys.as_array().map(Vec::len), &keys[0]["name"]), (Some(1), &json!("whole")), "{keys}");
    let hooks = house.ask(Method::GET, "webhooks", json!({})).await.1;
    assert_eq!(hooks.as_array().map(Vec::len), Some(1), "{hooks}");
    let path = format!("webhooks/{}/deliveries?limit=1", hooks[0]["id"].as_str().expect("an id"));
    let (status, page) = house.ask(Method::GET, &path, json!({})).await;
    assert_eq!((status, &page["deliveries"][0]["event"]["id"]), (200, &told["id"]), "{page}");
    assert_eq!(page["next"], Value::Null, "the rest cannot be read: {page}");
    let failed = "SELECT count(*) FROM deliveries WHERE state = 'failed'";
    let failed = sqlx::query(failed).fetch_one(&mut database(folder.path()).await).await.expect("a count");
    assert_eq!(failed.get::<i64, _>(0), 3, "what cannot be read is given up");
}
