//! A copy made while the server runs, and the server that is started on it: the same one.

use std::{fs, io::Cursor, os::unix::fs::PermissionsExt as _, path::Path};

use coordinator::{Config, Server, back_up};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use wire::SignedIn;

async fn start(data: &Path) -> Server {
    // By an address that is not loopback, an invite has the certificate's pin.
    let advertise = vec!["192.0.2.7".to_owned()];
    Server::start(Config { advertise, ..Config::new(data.to_owned()) }).await.expect("the server starts")
}

async fn ask(server: &Server, token: &str, method: Method, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let url = format!("http://{}/v1/{path}", server.address());
    let request = Client::new().request(method, url).bearer_auth(token).body(body);
    let answer = request.send().await.expect("the server answers");
    (answer.status().as_u16(), answer.bytes().await.expect("a body").to_vec())
}

async fn get(server: &Server, token: &str, path: &str) -> Value {
    let (status, body) = ask(server, token, Method::GET, path, Vec::new()).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).expect("JSON")
}

async fn sign_in(server: &Server, code: &Value, name: &str) -> SignedIn {
    let wish = json!({ "code": code, "name": name, "device_name": "test" });
    let (status, body) = ask(server, "", Method::POST, "sign-in", wish.to_string().into()).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).expect("who signed in")
}

/// A green picture of one pixel.
fn picture() -> Vec<u8> {
    let mut png = Vec::new();
    let pixel = image::RgbImage::from_pixel(1, 1, image::Rgb([0, 200, 0]));
    pixel.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).expect("a picture");
    png
}

#[tokio::test]
async fn a_server_on_a_copy_has_the_same_people_calls_pictures_invites_and_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let server = start(&data).await;
    let invite = server.admin_invite().await.expect("a new server has an invite");
    let ann = sign_in(&server, &json!(invite.code), "Ann").await;
    let token = &ann.access.token;
    let (_, made) = ask(&server, token, Method::POST, "invites", b"{}".to_vec()).await;
    let made: Value = serde_json::from_slice(&made).expect("an invite");
    let open = server.owner_invite().await.expect("an invite that nobody has used");
    sign_in(&server, &made["code"], "Ben").await;
    let (status, said) = ask(&server, token, Method::PUT, "me/avatar", picture()).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
    let call = json!({ "ring": true, "data": { "members": [{ "user": "ben" }], "custom": { "order": 17 } } });
    assert_eq!(ask(&server, token, Method::POST, "calls/default/x", call.to_string().into()).await.0, 200);
    // What a later version keeps in the folder is copied; what is being written is not whole.
    fs::write(data.join("later.toml"), "kept = true").expect("written");
    fs::write(data.join("half.partial"), "kept = tr").expect("written");

    back_up(&data, &copy).await.expect("a copy while it runs");
    let people = get(&server, token, "people").await;
    let there = get(&server, token, "calls/default/x").await;
    let avatar = ask(&server, token, Method::GET, "people/ann/avatar", Vec::new()).await;
    assert_eq!(avatar.0, 200);
    server.shutdown().await;

    let again = start(&copy).await;
    assert!(again.admin_invite().await.is_none(), "somebody has signed in");
    let renewal = json!({ "device": ann.device, "refresh_secret": ann.refresh_secret });
    assert_eq!(ask(&again, "", Method::POST, "token", renewal.to_string().into()).await.0, 200, "the device is known");
    // With the old access token: the secret that signs them is the same.
    assert_eq!(get(&again, token, "people").await, people);
    assert_eq!(ask(&again, token, Method::GET, "people/ann/avatar", Vec::new()).await, avatar);
    let here = get(&again, token, "calls/default/x").await;
    for part in ["/call", "/ring/id", "/ring/targets"] {
        assert_eq!(here.pointer(part), there.pointer(part), "{part}");
        assert!(here.pointer(part).is_some(), "{part}");
    }
    assert_eq!(sign_in(&again, &json!(open.code), "whoever").await.me.id.as_str(), "ann", "invites are in the copy");
    let pin = again.owner_invite().await.expect("an invite").pin;
    assert!(pin.is_some() && pin == open.pin, "{pin:?} in place of {:?}", open.pin);
    assert_eq!(
        fs::read(copy.join("media-secret")).expect("copied"),
        fs::read(data.join("media-secret")).expect("kept")
    );
    assert_eq!(fs::read(copy.join("later.toml")).expect("copied"), b"kept = true");
    assert!(!copy.join("half.partial").exists());
}

#[tokio::test]
async fn a_copy_is_readable_for_its_owner_alone_and_nothing_is_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    assert!(back_up(&data, &copy).await.is_err(), "there is nothing to copy");
    start(&data).await.shutdown().await;
    back_up(&data, &copy).await.expect("a copy while it does not run");
    let mut names = Vec::new();
    for entry in fs::read_dir(&copy).expect("a folder") {
        let entry = entry.expect("a file");
        names.push(entry.file_name().into_string().expect("a name"));
        assert_eq!(entry.metadata().expect("its mode").permissions().mode() & 0o777, 0o600, "{names:?}");
    }
    names.sort();
    assert_eq!(names, ["bellbird.db", "certificate-key.pem", "certificate.pem", "media-secret", "token-secret"]);
    assert!(back_up(&data, &copy).await.is_err(), "a folder with something in it is left alone");
}
