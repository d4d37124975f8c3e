//! Who gets in, by what, and what becomes of it when somebody is put out.

use std::{collections::BTreeSet, num::NonZeroU32, path::Path};

use coordinator::{Config, Server};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wire::InviteCode;

/// A server and the way to it.
struct House {
    server: Server,
    client: Client,
}

/// A device of somebody.
struct Device {
    id: String,
    user: String,
    token: String,
}

impl House {
    async fn new(folder: &Path) -> Self {
        let server = Server::start(Config::new(folder.to_owned())).await.expect("the server starts");
        Self { server, client: Client::new() }
    }

    /// The same with its first admin, Ann.
    async fn of_ann(folder: &Path) -> (Self, Device) {
        let house = Self::new(folder).await;
        let invite = house.server.admin_invite().await.expect("a new server has an invite");
        let ann = house.signs_in(invite.code.as_str(), "Ann").await.expect("the invite is good");
        (house, ann)
    }

    async fn ask(&self, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("http://{}/v1/{path}", self.server.address());
        let request = self.client.request(method, url).bearer_auth(token).body(body.to_string());
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON"))
    }

    async fn ok(&self, token: &str, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(token, method, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The code of the refusal, and the field it names.
    async fn refused(&self, token: &str, method: Method, path: &str, body: Value) -> (String, Option<String>) {
        let (status, answer) = self.ask(token, method, path, body).await;
        assert_ne!(status, 200, "{path}: {answer}");
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        (text("code").expect("a code"), text("field"))
    }

    async fn signs_in(&self, code: &str, name: &str) -> Option<Device> {
        let wish = json!({ "code": code, "name": name, "device_name": "test" });
        let (status, answer) = self.ask("", Method::POST, "sign-in", wish).await;
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let device = || Device {
            id: text(&answer["device"]),
            user: text(&answer["me"]["id"]),
            token: text(&answer["access"]["token"]),
        };
        (status == 200).then(device)
    }

    /// The code and the id of a new invite.
    async fn invite(&self, token: &str, wish: Value) -> (String, String) {
        let made = self.ok(token, Method::POST, "invites", wish).await;
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        (text("code"), text("id"))
    }

    /// Somebody new, by an invite of an admin's.
    async fn welcomes(&self, admin: &Device, name: &str, role: &str) -> Device {
        let (code, _) = self.invite(&admin.token, json!({ "role": role })).await;
        self.signs_in(&code, name).await.expect("the invite is good")
    }

    async fn listed(&self, token: &str) -> Vec<String> {
        let listed = self.ok(token, Method::GET, "invites", json!({})).await;
        let id = |entry: &Value| entry["id"].as_str().expect("an id").to_owned();
        listed.as_array().expect("a list").iter().map(id).collect()
    }
}

#[tokio::test]
async fn a_device_that_is_signed_out_leaves_nothing_to_come_back_by() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let (second, _) = house.invite(&ann.token, json!({ "me": true })).await;
    let stolen = house.signs_in(&second, "Ann").await.expect("one more device of hers");
    let (kept, _) = house.invite(&ann.token, json!({ "me": true })).await;
    let (mine, _) = house.invite(&stolen.token, json!({ "me": true })).await;
    let (admin, _) = house.invite(&stolen.token, json!({ "role": "admin" })).await;
    let (friend, _) = house.invite(&stolen.token, json!({})).await;
    let path = format!("devices/{}/sign-out", stolen.id);
    house.ok(&ann.token, Method::POST, &path, json!({})).await;
    assert!(house.signs_in(&mine, "Thief").await.is_none(), "not as her");
    assert!(house.signs_in(&admin, "Thief").await.is_none(), "and not as an admin");
    assert!(house.signs_in(&friend, "Ben").await.is_some(), "who was invited with it is still welcome");
    assert!(house.signs_in(&kept, "Ann").await.is_some(), "another device's invite is good");
}

#[tokio::test]
async fn a_person_who_is_signed_out_leaves_no_invite_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let ben = house.welcomes(&ann, "Ben", "user").await;
    let (mine, _) = house.invite(&ben.token, json!({ "me": true })).await;
    let (other, _) = house.invite(&ben.token, json!({ "uses": 5 })).await;
    house.ok(&ann.token, Method::POST, "people/ben/sign-out", json!({})).await;
    let left = house.refused(&ben.token, Method::POST, "invites", json!({})).await;
    assert_eq!(left.0, "unauthenticated", "he makes no new one");
    assert!(house.signs_in(&mine, "Ben").await.is_none() && house.signs_in(&other, "Ben again").await.is_none());
    assert!(house.listed(&ann.token).await.is_empty());
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_also_by_its_invites_and_no_key_signs_in_a_device() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    house.welcomes(&ann, "Ben", "user").await;
    let wish = json!({ "name": "Shop", "scopes": ["invites", "on-behalf"] });
    let key = house.ok(&ann.token, Method::POST, "api-keys", wish).await;
    let token = key["token"].as_str().expect("a token");
    let denied = ("permission-denied".to_owned(), Some("me".to_owned()));
    assert_eq!(house.refused(token, Method::POST, "invites", json!({ "me": true })).await, denied);
    let url = format!("http://{}/v1/invites", house.server.address());
    let for_ben = house.client.post(url).bearer_auth(token).header(wire::ON_BEHALF_OF, "ben");
    let for_ben = for_ben.body(json!({ "me": true }).to_string()).send().await.expect("an answer");
    assert_eq!(for_ben.status().as_u16(), 403, "nor for somebody it acts for");
    let (code, id) = house.invite(token, json!({})).await;
    assert_eq!(house.listed(token).await, [id], "its own");
    let path = format!("api-keys/{}", key["id"].as_str().expect("an id"));
    house.ok(&ann.token, Method::DELETE, &path, json!({})).await;
    assert!(house.signs_in(&code, "Cem").await.is_none());
}

#[tokio::test]
async fn an_invite_for_a_device_of_ones_own_is_good_for_an_hour_and_a_day_at_most() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let gus = house.welcomes(&ann, "Gus", "guest").await;
    let hour = 3_600_000;
    let made = house.ok(&gus.token, Method::POST, "invites", json!({ "me": true })).await;
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as i64;
    let left = made["expires_at"].as_i64().expect("a time") - now;
    assert!((hour - 60_000..=hour).contains(&left), "{left}");
    let again = house.signs_in(made["code"].as_str().expect("a code"), "Whoever").await.expect("a guest, too");
    assert_eq!(again.user, gus.user);
    let field = ("invalid-request".to_owned(), Some("expires_in_ms".to_owned()));
    for (wish, what) in [
        (json!({ "me": true, "expires_in_ms": 24 * hour + 1 }), "more than a day"),
        (json!({ "me": true, "expires_in_ms": 0 }), "dead from the first moment"),
    ] {
        assert_eq!(house.refused(&gus.token, Method::POST, "invites", wish).await, field, "{what}");
    }
    assert_eq!(house.refused(&ann.token, Method::POST, "invites", json!({ "expires_in_ms": 0 })).await, field);
    house.ok(&gus.token, Method::POST, "invites", json!({ "me": true, "expires_in_ms": 24 * hour })).await;
}

#[tokio::test]
async fn who_made_an_invite_and_every_admin_see_it_and_take_it_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let (ben, cem) = (house.welcomes(&ann, "Ben", "user").await, house.welcomes(&ann, "Cem", "user").await);
    let (of_ann, ann_id) = house.invite(&ann.token, json!({ "role": "guest", "team": "sales", "uses": 3 })).await;
    let (of_ben, ben_id) = house.invite(&ben.token, json!({})).await;
    let listed = house.ok(&ann.token, Method::GET, "invites", json!({})).await;
    assert_eq!(house.listed(&ann.token).await, [ben_id.clone(), ann_id.clone()], "newest first");
    let (one, entry) = (&listed[1], listed.to_string());
    assert_eq!((&one["made_by"], &one["role"], &one["team"]), (&json!("ann"), &json!("guest"), &json!("sales")));
    assert_eq!((&one["uses_left"], &one["person"]), (&json!(3), &Value::Null));
    assert!(!entry.contains(&of_ann) && !entry.contains(&of_ben), "no list says a code: {entry}");
    assert_eq!(house.listed(&ben.token).await, [ben_id.as_str()]);
    assert!(house.listed(&cem.token).await.is_empty());

    let unknown = ("invalid-request".to_owned(), Some("invite".to_owned()));
    for other in [ann_id.as_str(), "i0", "no%20id"] {
        let path = format!("invites/{other}");
        assert_eq!(house.refused(&ben.token, Method::DELETE, &path, json!({})).await, unknown, "{other}");
    }
    house.ok(&ben.token, Method::DELETE, &format!("invites/{ben_id}"), json!({})).await;
    assert!(house.signs_in(&of_ben, "Dee").await.is_none());
    assert!(house.signs_in(&of_ann, "Dee").await.is_some(), "two uses are left");
    house.ok(&ann.token, Method::DELETE, &format!("invites/{ann_id}"), json!({})).await;
    assert!(house.signs_in(&of_ann, "Eve").await.is_none());
    assert!(house.listed(&ann.token).await.is_empty());
}

#[tokio::test]
async fn the_first_admin_comes_by_the_newest_invite_and_nobody_by_another_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut codes: Vec<InviteCode> = Vec::new();
    for _ in 0..2 {
        let house = House::new(folder.path()).await;
        codes.push(house.server.admin_invite().await.expect("nobody is there").code);
        house.server.shutdown().await;
    }
    let house = House::new(folder.path()).await;
    codes.push(house.server.admin_invite().await.expect("nobody is there").code);
    for old in &codes[..2] {
        assert!(house.signs_in(old.as_str(), "Eve").await.is_none(), "a new one takes the place of the old");
    }
    let ann = house.signs_in(codes[2].as_str(), "Ann").await.expect("the newest is good");
    house.ok(&ann.token, Method::GET, "asks", json!({})).await;
    for code in &codes {
        assert!(house.signs_in(code.as_str(), "Eve").await.is_none());
    }
    assert!(house.server.admin_invite().await.is_none());
}

#[tokio::test]
async fn who_is_no_admin_any_more_is_none_at_any_door() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let ben = house.welcomes(&ann, "Ben", "admin").await;
    house.ok(&ben.token, Method::GET, "api-keys", json!({})).await;
    house.ok(&ann.token, Method::PUT, "people/ben", json!({ "name": "Ben", "role": "user" })).await;
    let key = json!({ "name": "Shop", "scopes": ["ring"] });
    for (method, path, body) in [
        (Method::PUT, "people/ben", json!({ "name": "Ben", "role": "admin" })),
        (Method::POST, "people/ann/sign-out", json!({})),
        (Method::POST, "api-keys", key),
        (Method::GET, "api-keys", json!({})),
        (Method::DELETE, "api-keys/k1", json!({})),
        (Method::POST, "invites", json!({ "role": "admin" })),
        (Method::POST, "invites", json!({ "team": "sales" })),
        (Method::PUT, "call-types/own", json!({})),
        (Method::POST, "webhooks", json!({ "url": "https://shop.example/hook" })),
        (Method::GET, "webhooks", json!({})),
        (Method::GET, "asks", json!({})),
        (Method::POST, "asks/7/answer", json!({ "admit": true, "role": "admin" })),
    ] {
        let (code, _) = house.refused(&ben.token, method.clone(), path, body).await;
        assert_eq!(code, "permission-denied", "{method} {path}");
    }
    // From elsewhere: a proxy's header says so.
    let url = format!("http://{}/metrics", house.server.address());
    let metrics = house.client.get(url).bearer_auth(&ben.token).header("x-forwarded-for", "192.0.2.1").send().await;
    assert_eq!(metrics.expect("an answer").status().as_u16(), 403);
    house.ok(&ann.token, Method::PUT, "people/ben", json!({ "name": "Ben", "role": "admin" })).await;
    house.ok(&ben.token, Method::GET, "api-keys", json!({})).await;
}

#[tokio::test]
async fn what_is_left_out_about_a_person_stays_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let put = async |body: Value| house.ok(&ann.token, Method::PUT, "people/gus", body).await;
    put(json!({ "name": "Gus", "role": "guest", "teams": ["sales"] })).await;
    put(json!({ "name": "Gustav" })).await;
    let people = house.ok(&ann.token, Method::GET, "people?search=gus", json!({})).await;
    assert_eq!((&people["people"][0]["name"], &people["people"][0]["role"]), (&json!("Gustav"), &json!("guest")));
    put(json!({ "name": "Gus", "role": "user", "teams": [] })).await;
    let people = house.ok(&ann.token, Method::GET, "people?search=gus", json!({})).await;
    assert_eq!(people["people"][0]["role"], "user");
}

#[tokio::test]
async fn who_is_no_admin_any_more_lets_nobody_in_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let ben = house.welcomes(&ann, "Ben", "admin").await;
    let (admin, _) = house.invite(&ben.token, json!({ "role": "admin" })).await;
    let (team, _) = house.invite(&ben.token, json!({ "team": "sales" })).await;
    let (friend, _) = house.invite(&ben.token, json!({})).await;
    house.ok(&ann.token, Method::PUT, "people/ben", json!({ "name": "Ben", "role": "user" })).await;
    assert!(house.signs_in(&admin, "Ben two").await.is_none() && house.signs_in(&team, "Ben two").await.is_none());
    assert_eq!(house.listed(&ben.token).await.len(), 1);
    assert!(house.signs_in(&friend, "Cem").await.is_some(), "anybody may invite a friend");
}

#[tokio::test]
async fn an_invite_made_with_a_key_ends_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let wish = json!({ "name": "Shop", "scopes": ["invites"], "expires_in_ms": 1_500 });
    let key = house.ok(&ann.token, Method::POST, "api-keys", wish).await;
    let token = key["token"].as_str().expect("a token");
    let (code, _) = house.invite(token, json!({})).await;
    // Until the server itself says that the key is too old.
    while house.ask(token, Method::GET, "invites", json!({})).await.0 == 200 {}
    assert!(house.signs_in(&code, "Cem").await.is_none());
    assert!(house.listed(&ann.token).await.is_empty());
}

#[tokio::test]
async fn two_admins_who_take_each_others_rights_leave_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let ben = house.welcomes(&ann, "Ben", "admin").await;
    let user = |name: &str| json!({ "name": name, "role": "user" });
    let (one, other) = tokio::join!(
        house.ask(&ann.token, Method::PUT, "people/ben", user("Ben")),
        house.ask(&ben.token, Method::PUT, "people/ann", user("Ann")),
    );
    let done = [&one, &other].iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(done, 1, "{one:?} {other:?}");
}

#[tokio::test]
async fn a_key_that_is_revoked_while_its_request_comes_in_leaves_no_webhook() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let wish = json!({ "name": "Shop", "scopes": ["webhooks"] });
    let key = house.ok(&ann.token, Method::POST, "api-keys", wish).await;
    let (id, token) = (key["id"].as_str().expect("an id"), key["token"].as_str().expect("a token"));
    let body = json!({ "url": "https://shop.example/hook" }).to_string();
    let mut stream = TcpStream::connect(house.server.address()).await.expect("a connection");
    let head = format!(
        "POST /v1/webhooks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    // It is asked for the body when the key has been looked at.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.expect("an answer");
    assert!(asked.starts_with(b"HTTP/1.1 100"), "{:?}", String::from_utf8_lossy(&asked));
    house.ok(&ann.token, Method::DELETE, &format!("api-keys/{id}"), json!({})).await;
    stream.write_all(body.as_bytes()).await.expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(house.ok(&ann.token, Method::GET, "webhooks", json!({})).await, json!([]));
}

#[tokio::test]
async fn a_secret_that_was_lost_is_not_taken_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    House::new(folder.path()).await.server.shutdown().await;
    std::fs::write(folder.path().join("token-secret"), "\n").expect("it is written");
    let refused = Server::start(Config::new(folder.path().to_owned())).await.expect_err("anybody could sign tokens");
    assert!(refused.to_string().contains("token-secret holds no secret"), "{refused}");
}

#[tokio::test]
async fn names_without_a_latin_letter_have_an_id_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let config =
        Config { limits_factor: NonZeroU32::new(100).expect("not 0"), ..Config::new(folder.path().to_owned()) };
    let house = House { server: Server::start(config).await.expect("the server starts"), client: Client::new() };
    let invite = house.server.admin_invite().await.expect("a new server has an invite");
    let ann = house.signs_in(invite.code.as_str(), "Ann").await.expect("the invite is good");
    let (many, _) = house.invite(&ann.token, json!({ "uses": 30 })).await;
    let mut ids = BTreeSet::new();
    for number in 0..30 {
        let one = house.signs_in(&many, "山田").await.unwrap_or_else(|| panic!("number {number} is let in"));
        ids.insert(one.user);
    }
    assert_eq!(ids.len(), 30);
    let program = async |name: &str| {
        let key =
            house.ok(&ann.token, Method::POST, "api-keys", json!({ "name": name, "scopes": ["calls-read"] })).await;
        key["user"].as_str().map(str::to_owned).unwrap_or_else(|| panic!("{key}"))
    };
    let (weather, clock) = (program("天気").await, program("時計").await);
    assert_ne!(weather, clock, "nor are two programs one");
    assert!(!ids.contains(&weather) && !ids.contains(&clock), "or somebody");
    assert_eq!(program("天気").await, weather, "another key of the same");
}

#[tokio::test]
async fn a_team_is_the_same_with_spaces_around_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, ann) = House::of_ann(folder.path()).await;
    let wish = json!({ "name": "Shop", "scopes": ["people-write"] });
    let key = house.ok(&ann.token, Method::POST, "api-keys", wish).await;
    let token = key["token"].as_str().expect("a token");
    let ben = house.welcomes(&ann, "Ben", "user").await;
    house.ok(token, Method::PUT, "people/ben", json!({ "name": "Ben", "teams": [" red "] })).await;
    let call = json!({ "data": { "team": "red" } });
    house.ok(&ben.token, Method::POST, "calls/default/theirs", call).await;
    let (code, _) = house.invite(&ann.token, json!({ "team": "red " })).await;
    let cem = house.signs_in(&code, "Cem").await.expect("the invite is good");
    house.ok(&cem.token, Method::GET, "calls/default/theirs", json!({})).await;
}
