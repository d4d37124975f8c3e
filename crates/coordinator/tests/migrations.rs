//! Data folders of every version there was: today's server opens them, and what was in them is there.

use std::path::{Path, PathBuf};

use coordinator::{Config, Server, back_up};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteConnection, migrate::Migrator,
    sqlite::SqliteConnectOptions,
};

const DATABASE: &str = "bellbird.db";

async fn ask(server: &Server, token: &str, method: Method, path: &str, body: Value) -> Value {
    let url = format!("http://{}/v1/{path}", server.address());
    let request = Client::new().request(method, url).bearer_auth(token).body(body.to_string());
    let answer = request.send().await.expect("the server answers");
    let (status, text) = (answer.status().as_u16(), answer.text().await.expect("a body"));
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

async fn start(data: &Path) -> Server {
    Server::start(Config::new(data.to_owned())).await.expect("the server starts")
}

async fn database(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    options.connect().await.expect("the database opens")
}

fn migrations() -> PathBuf {
    PathBuf::from("migrations")
}

/// What two people, who rang each other, have on a server of today, and an invite that nobody has used.
struct Today {
    data: PathBuf,
    device: Value,
    refresh_secret: Value,
    code: Value,
}

impl Today {
    async fn make(folder: PathBuf) -> Self {
        let server = start(&folder).await;
        let wish = |code: &Value, name: &str| json!({ "code": code, "name": name, "device_name": "test" });
        let first = server.admin_invite().await.expect("a new server has an invite");
        let ann = ask(&server, "", Method::POST, "sign-in", wish(&json!(first.code), "Ann")).await;
        let token = ann["access"]["token"].as_str().expect("a token");
        let of_ben = ask(&server, token, Method::POST, "invites", json!({})).await;
        ask(&server, "", Method::POST, "sign-in", wish(&of_ben["code"], "Ben")).await;
        let open = ask(&server, token, Method::POST, "invites", json!({})).await;
        let settings = json!({ "ring": { "timeout_ms": 120_000 } });
        let data = json!({ "members": [{ "user": "ben" }], "custom": { "order": 17 }, "settings": settings });
        let ring = json!({ "ring": true, "data": data });
        for id in ["over", "rings"] {
            ask(&server, token, Method::POST, &format!("calls/default/{id}"), ring.clone()).await;
        }
        ask(&server, token, Method::POST, "calls/default/over/leave", json!({})).await;
        ask(&server, token, Method::POST, "api-keys", json!({ "name": "Shop", "scopes": ["ring"] })).await;
        ask(&server, token, Method::PUT, "call-types/own", json!({ "grants": { "user": ["read-call"] } })).await;
        server.shutdown().await;
        Self {
            data: folder,
            device: ann["device"].clone(),
            refresh_secret: ann["refresh_secret"].clone(),
            code: open["code"].clone(),
        }
    }

    /// The same as a server of an older version has it: whatever there was a place for then.
    async fn as_of(&self, version: i64, data: &Path) {
        std::fs::create_dir_all(data).expect("a folder");
        let mut old = database(&data.join(DATABASE)).await;
        let migrator = Migrator::new(migrations()).await.expect("migrations");
        migrator.run_to(version, &mut old).await.expect("an old database");
        let today = self.data.join(DATABASE);
        let attach = sqlx::query("ATTACH ? AS today").bind(today.to_string_lossy().into_owned());
        attach.execute(&mut old).await.expect("attached");
        // In the order in which tables are found, not in that of what they refer to.
        sqlx::query("PRAGMA foreign_keys = off").execute(&mut old).await.expect("set");
        let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' \
                      AND name NOT LIKE 'sqlite%' AND name <> 'rings'";
        for table in sqlx::query(tables).fetch_all(&mut old).await.expect("tables") {
            let table: String = table.get(0);
            let shared = "SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(?1, 'main') \
                          INTERSECT SELECT name FROM pragma_table_info(?1, 'today'))";
            let shared = sqlx::query(shared).bind(&table).fetch_one(&mut old).await.expect("columns");
            let columns: String = shared.get(0);
            let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM today.{table}");
            sqlx::query(AssertSqlSafe(copy)).execute(&mut old).await.expect("copied");
        }
        // A call's newest ring had a table of its own, and was all that was kept of its rings after that.
        let rings = match version {
            ..5 => {
                "INSERT INTO main.rings (id, cid, is_live, document) \
                 SELECT json_extract(ring, '$.rings[#-1].id'), cid, is_live, json_extract(ring, '$.rings[#-1]') \
                 FROM today.calls"
            }
            5 => "UPDATE main.calls SET ring = json_extract(ring, '$.rings[#-1]')",
            6.. => "UPDATE main.calls SET ring = ring",
        };
        let copied = sqlx::query(rings).execute(&mut old).await.expect("copied");
        assert_eq!(copied.rows_affected(), 2);
        old.close().await.expect("closed");
    }
}

/// The newest version there is.
async fn newest() -> i64 {
    let migrator = Migrator::new(migrations()).await.expect("migrations");
    migrator.iter().map(|migration| migration.version).max().expect("there are some")
}

async fn version_of(file: &Path) -> i64 {
    let mut database = database(file).await;
    let version = sqlx::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut database).await;
    let version = version.expect("a version").get(0);
    database.close().await.expect("closed");
    version
}

#[tokio::test]
async fn a_database_of_every_version_there_was_is_opened_with_everything_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let today = Today::make(folder.path().join("today")).await;
    for version in 1..=newest().await {
        let data = folder.path().join(version.to_string());
        today.as_of(version, &data).await;
        std::fs::copy(today.data.join("token-secret"), data.join("token-secret")).expect("copied");
        let server = start(&data).await;
        assert!(server.admin_invite().await.is_none(), "{version}: somebody is there");
        let renewal = json!({ "device": today.device, "refresh_secret": today.refresh_secret });
        let access = ask(&server, "", Method::POST, "token", renewal).await;
        let token = access["token"].as_str().expect("a token");
        let people = ask(&server, token, Method::GET, "people", json!({})).await.to_string();
        assert!(people.contains("\"Ann\"") && people.contains("\"Ben\""), "{version}: {people}");
        let found = ask(&server, token, Method::GET, "people?search=BEN", json!({})).await;
        assert_eq!(found["people"][0]["name"], "Ben", "{version}: {found}");
        for (id, outcome) in [("over", "cancelled"), ("rings", "ringing")] {
            let call = ask(&server, token, Method::GET, &format!("calls/default/{id}"), json!({})).await;
            assert_eq!(call["call"]["custom"]["order"], 17, "{version}: {call}");
            // What rings is over ten seconds after a start if nobody comes back; this is sooner.
            assert_eq!(call["ring"]["targets"][0]["outcome"], outcome, "{version}: {call}");
        }
        let history = ask(&server, token, Method::GET, "history", json!({})).await;
        assert_eq!(history["entries"].as_array().map(Vec::len), Some(1), "{version}: {history}");
        let types = json!({ "data": { "members": [{ "user": "ben" }] } });
        ask(&server, token, Method::POST, "calls/default/new", types).await;
        let wish = json!({ "code": today.code, "name": "Cem", "device_name": "test" });
        let cem = ask(&server, "", Method::POST, "sign-in", wish).await;
        assert_eq!(cem["me"]["id"], "cem", "{version}: the invite is good");
        if version >= 3 {
            let keys = ask(&server, token, Method::GET, "api-keys", json!({})).await;
            assert_eq!(keys[0]["name"], "Shop", "{version}: {keys}");
        }
        server.shutdown().await;
        assert_eq!(version_of(&data.join(DATABASE)).await, newest().await);
    }
}

#[tokio::test]
async fn a_copy_made_by_a_newer_program_leaves_the_running_servers_database_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let today = Today::make(folder.path().join("today")).await;
    let (data, copy) = (folder.path().join("old"), folder.path().join("copy"));
    today.as_of(4, &data).await;
    // As the old server has it open.
    let mut running = database(&data.join(DATABASE)).await;
    sqlx::query("PRAGMA journal_mode = wal").execute(&mut running).await.expect("set");
    sqlx::query("UPDATE people SET name = 'Benjamin' WHERE id = 'ben'").execute(&mut running).await.expect("written");
    back_up(&data, &copy).await.expect("a copy");
    for folder in [&data, &copy] {
        assert_eq!(version_of(&folder.join(DATABASE)).await, 4, "{}", folder.display());
    }
    sqlx::query("UPDATE rings SET is_live = 0").execute(&mut running).await.expect("the old server goes on");
    let mut copied = database(&copy.join(DATABASE)).await;
    let ben = sqlx::query("SELECT name FROM people WHERE id = 'ben'").fetch_one(&mut copied).await.expect("Ben");
    assert_eq!(ben.get::<String, _>(0), "Benjamin", "what was written a moment ago is in it");
}
