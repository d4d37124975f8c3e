//! Whoever runs a server gets in, also when he has signed out of it.

use coordinator::{Config, Server};
use serde_json::json;
use wire::{Invite, Role, SignedIn};

async fn sign_in(server: &Server, invite: &Invite, name: &str) -> SignedIn {
    let body = json!({ "code": invite.code, "name": name, "device_name": "test" });
    let request = reqwest::Client::new().post(format!("{}/v1/sign-in", server.url())).body(body.to_string());
    let answer = request.send().await.expect("an answer").text().await.expect("a body");
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

#[tokio::test]
async fn the_owner_comes_back_as_himself_however_many_admins_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(Config::new(folder.path().to_owned())).await.expect("the server starts");
    let first = server.owner_invite().await.expect("nobody is there: it is the first admin's");
    let ann = sign_in(&server, &first, "Ann").await;
    assert_eq!((ann.me.id.as_str(), ann.me.role), ("ann", Role::Admin));
    assert!(server.admin_invite().await.is_none());

    // A second admin, whose id comes before hers, and a program.
    let url = format!("{}/v1", server.url());
    let post = async |path: &str, body: serde_json::Value| {
        let request = reqwest::Client::new().post(format!("{url}/{path}")).bearer_auth(&ann.access.token);
        let answer = request.body(body.to_string()).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        serde_json::from_str::<serde_json::Value>(&answer.text().await.expect("a body")).expect("JSON")
    };
    let made = post("invites", json!({ "role": "admin" })).await;
    let link = made["link"].as_str().expect("a link").parse::<Invite>().expect("an invite");
    sign_in(&server, &link, "Aaron").await;
    post("api-keys", json!({ "name": "Aa", "scopes": ["ring"] })).await;
    post("devices/me/sign-out", json!({})).await;

    let again = server.owner_invite().await.expect("an invite for the owner");
    let back = sign_in(&server, &again, "Somebody").await;
    assert_eq!((back.me.id.as_str(), back.me.name.as_str(), back.me.role), ("ann", "Ann", Role::Admin));
    assert_ne!(back.device, ann.device);
    let body = json!({ "code": again.code, "name": "Thief", "device_name": "test" });
    let twice = reqwest::Client::new().post(format!("{url}/sign-in")).body(body.to_string()).send().await;
    assert_eq!(twice.expect("an answer").status().as_u16(), 401, "it works once");
}
