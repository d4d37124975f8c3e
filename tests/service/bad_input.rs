//! What bad input gets: the field's name, and nothing is stored; and no difference between "not there" and "not yours".

use anyhow::{Context as _, Result};
use harness::service::Service;
use serde_json::{Value, json};
use wire::{CallId, Code, CreateInvite, GetOrCreate, Join, Role, UserId};

use super::raw::Raw;

/// A refusal that names a field.
fn refused(field: &str) -> impl Fn(&(u16, Value)) -> bool {
    move |(status, body)| *status == 400 && body["code"] == "invalid-request" && body["field"] == field
}

fn of_length(length: usize) -> String {
    "x".repeat(length)
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_field_and_nothing_is_stored() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let cid: CallId = "default:x".parse()?;
    let members: Vec<UserId> = vec![ben.account.user.clone()];
    let data = json!({ "members": members.iter().map(|user| json!({ "user": user })).collect::<Vec<_>>() });
    let made: GetOrCreate = serde_json::from_value(json!({ "data": data }))?;
    ann.client.get_or_create(cid.clone(), made).await?;
    ann.client.server().join(&cid, &Join::default()).await?;
    let raw = Raw::of(&ann.account).await?;
    let before = ann.client.server().read(&cid).await?;
    let (long, far) = (of_length(5_200), i64::MAX);
    let made_up_cursor = "_________38";
    // Deeper than what it is shown in, too, could be read.
    let nested: Value = serde_json::from_str(&format!("{{\"a\": {}{}}}", "[".repeat(40), "]".repeat(40)))?;
    let cases = [
        ("POST", "calls/default/new", json!({"data": {"custom": {"a": long}}}), "data.custom"),
        ("POST", "calls/default/new", json!({"data": {"custom": 7}}), "data.custom"),
        ("POST", "calls/default/new", json!({"data": {"members": [{"user": "b en"}]}}), "data.members[0].user"),
        ("POST", "calls/default/new", json!({"data": {"members": [{"user": of_length(65)}]}}), "data.members[0].user"),
        ("POST", "calls/default/new", json!({"data": {"members": [{"user": "nobody"}]}}), "data.members"),
        (
            "POST",
            "calls/default/new",
            json!({"data": {"members": [{"user": "ben", "role": "a b"}]}}),
            "data.members.role",
        ),
        (
            "POST",
            "calls/default/new",
            json!({"data": {"members": [{"user": "ben", "role": "admin"}]}}),
            "data.members.role",
        ),
        (
            "POST",
            "calls/default/new",
            json!({"data": {"members": [{"user": "ben", "custom": {"a": long}}]}}),
            "data.members.custom",
        ),
        (
            "POST",
            "calls/default/new",
            json!({"data": {"settings": {"ring": {"timeout_ms": 1}}}}),
            "data.settings.ring.timeout_ms",
        ),
        ("POST", "calls/audio_room/new", json!({"data": {"settings": []}}), "data.settings"),
        ("POST", "calls/audio_room/new", json!({"data": {"settings": 7}}), "data.settings"),
        ("POST", "calls/default/new", json!({"data": {"settings": {"ring": [20_000]}}}), "data.settings.ring"),
        ("PATCH", "calls/default/x", json!({"settings": []}), "settings"),
        ("POST", "calls/default/new", json!({"data": {"starts_at": far}}), "data.starts_at"),
        ("POST", "calls/default/new", json!({"data": {"team": "sales"}}), "data.team"),
        ("POST", "calls/default/new", json!({"ring": "yes"}), "ring"),
        ("POST", "calls/default/new", json!({"ring": true}), "data.members"),
        ("POST", "calls/nonesuch/new", json!({}), "type"),
        ("POST", "calls/default/a%20b", json!({}), "id"),
        ("PATCH", "calls/default/x", json!({"custom": {"a": long}}), "custom"),
        ("PATCH", "calls/default/x", json!({"starts_at": -1}), "starts_at"),
        ("PATCH", "calls/default/x", json!({"settings": {"video": {"max_fps": 0}}}), "settings.video.max_fps"),
        ("PATCH", "calls/default/x", json!({"settings": {"audio": 3}}), "settings.audio"),
        ("POST", "calls/default/x/members", json!({"set": [{"user": "ben", "custom": {"a": long}}]}), "set.custom"),
        ("POST", "calls/default/x/members", json!({"remove": [7]}), "remove[0]"),
        ("POST", "calls/default/x/ring", json!({"members": ["nobody"]}), "members"),
        (
            "POST",
            "calls/default/x/reject",
            json!({"ring": "r1", "reason": "decline", "message": of_length(501)}),
            "message",
        ),
        ("POST", "calls/default/x/reject", json!({"ring": "r1", "reason": "decline", "message": "a\nb"}), "message"),
        ("POST", "calls/default/x/reject", json!({"ring": "r1", "reason": "bored"}), "reason"),
        ("POST", "calls/default/x/reject", json!({"ring": "r 1", "reason": "decline"}), "ring"),
        ("POST", "calls/default/x/pin", json!({"user": "nobody"}), "user"),
        ("POST", "calls/default/x/pin", json!({}), "user"),
        ("POST", "calls/default/new", json!({"data": {"members": [{}]}}), "data.members[0].user"),
        ("POST", "calls/default/x/block", json!({"user": "nobody"}), "user"),
        ("POST", "calls/default/x/permissions", json!({"user": "ben", "grant": ["fly"]}), "grant[0]"),
        ("POST", "calls/default/x/ask", json!({"capabilities": []}), "capabilities"),
        ("POST", "calls/default/x/reaction", json!({"kind": of_length(33)}), "kind"),
        ("POST", "calls/default/x/reaction", json!({"kind": "\u{202e}"}), "kind"),
        ("POST", "calls/default/x/event", json!({"data": {"a": long}}), "data"),
        ("POST", "calls/default/x/permissions", json!({"user": "ben", "grant": ["create-call"]}), "grant"),
        ("POST", "calls/query", json!({"call_type": "a b"}), "call_type"),
        ("POST", "calls/query", json!({"team": of_length(101)}), "team"),
        ("POST", "calls/query", json!({"custom": {"a": long}}), "custom"),
        ("GET", "people/ben/avatar", json!({}), "id"),
        ("POST", "calls/query", json!({"limit": 0}), "limit"),
        ("POST", "calls/query", json!({"cursor": "zz"}), "cursor"),
        ("POST", "calls/query", json!({"cursor": made_up_cursor}), "cursor"),
        ("GET", "history?limit=x", json!({}), "limit"),
        ("POST", "calls/default/new", json!({"data": []}), "data"),
        ("POST", "calls/default/new", json!({"data": {"custom": nested}}), "body"),
        ("GET", "history?limit=0", json!({}), "limit"),
        ("POST", "invites", json!({"uses": 0}), "uses"),
        ("POST", "invites", json!({"uses": 1_001}), "uses"),
    ];
    for (method, path, body, field) in cases {
        let answer = raw.ask(method, &format!("/v1/{path}"), &body.to_string()).await?;
        assert!(refused(field)(&answer), "{method} {path} {field}: {answer:?}");
    }
    for (body, what) in
        [("{", "no JSON"), ("7", "a number"), (&format!("{{\"a\": \"{}\"}}", of_length(65 * 1024)), "65 KB")]
    {
        let answer = raw.ask("POST", "/v1/calls/default/new", body).await?;
        assert!(refused("body")(&answer), "{what}: {answer:?}");
    }
    let deep = format!("{{\"data\": {{\"custom\": {{\"a\": {}{}}}}}}}", "[".repeat(20_000), "]".repeat(20_000));
    let answer = raw.ask("POST", "/v1/calls/default/new", &deep).await?;
    assert!(refused("body")(&answer), "deep: {answer:?}");
    let made = ann.client.server().read(&"default:new".parse()?).await.map(|_| ()).map_err(|error| error.code());
    assert_eq!(made, Err(Some(Code::CallNotFound)));
    assert_eq!(ann.client.server().read(&cid).await?.call, before.call);
    Ok(())
}

#[tokio::test]
async fn a_header_that_decides_something_comes_once() -> Result<()> {
    let service = Service::start().await?;
    let admin = service.program_of(&service.admin).await?;
    let key = json!({ "name": "Shop", "scopes": ["calls-write", "on-behalf"] });
    let key = admin.post("/v1/api-keys", &key).await?.ok()?;
    let mut raw = Raw::stranger(&service.admin);
    raw.token = key["token"].as_str().map(str::to_owned);
    service.person("ann").await?;
    for (header, code, field) in [
        ("bellbird-on-behalf-of: ann", "invalid-request", "bellbird-on-behalf-of".into()),
        ("idempotency-key: k1", "invalid-request", "idempotency-key".into()),
        ("authorization: Bearer nobody", "unauthenticated", Value::Null),
    ] {
        raw.headers = vec![header.to_owned(); 2];
        let (_, refusal) = raw.ask("POST", "/v1/calls/default/twice", "{}").await?;
        assert_eq!((&refusal["code"], &refusal["field"]), (&code.into(), &field), "{header}: {refusal}");
    }
    raw.headers = vec!["bellbird-on-behalf-of: ann".to_owned(), "idempotency-key: k1".to_owned()];
    let (status, made) = raw.ask("POST", "/v1/calls/default/twice", "{}").await?;
    assert_eq!(status, 200, "{made}");
    Ok(())
}

#[tokio::test]
async fn who_signs_in_or_runs_the_server_keeps_the_rules_as_well() -> Result<()> {
    let service = Service::start().await?;
    let admin = service.admin().await?;
    let raw = Raw::of(&admin.account).await?;
    let code = admin.client.create_invite(CreateInvite::default()).await?.code;
    let sign_in = |field: &str, value: &str| {
        let mut body = json!({ "code": code, "name": "Eve", "device_name": "Desk" });
        body[field] = value.into();
        body.to_string()
    };
    let (name, address) = (of_length(101), Raw::stranger(&admin.account));
    for (field, value) in [
        ("name", ""),
        ("name", name.as_str()),
        ("name", "Eve\u{202e}"),
        ("name", "E\u{200b}ve"),
        ("device_name", "De\u{2028}sk"),
        ("device_name", "a\u{7}"),
        ("user_id", "e ve"),
        ("user_id", name.as_str()),
        ("code", "a b"),
    ] {
        let answer = address.ask("POST", "/v1/sign-in", &sign_in(field, value)).await?;
        assert!(refused(field)(&answer), "{field} {value:?}: {answer:?}");
    }
    for (body, field) in [
        (json!({"settings": {"ring": {"timeout_ms": 1}}}), "settings.ring.timeout_ms"),
        (json!({"grants": {"a b": []}}), "grants"),
        (json!({"grants": {"user": ["fly"]}}), "grants.user[0]"),
    ] {
        let answer = raw.ask("PUT", "/v1/call-types/own", &body.to_string()).await?;
        assert!(refused(field)(&answer), "{field}: {answer:?}");
    }
    let answer = raw.ask("POST", "/v1/invites", &json!({"team": name}).to_string()).await?;
    assert!(refused("team")(&answer), "{answer:?}");
    // The invite was spoilt by none of that.
    let (status, _) = address.ask("POST", "/v1/sign-in", &sign_in("user_id", "eve")).await?;
    assert_eq!(status, 200);
    let used = address.ask("POST", "/v1/sign-in", &sign_in("user_id", "eve")).await?;
    let never_made = json!({ "code": "nosuchcode", "name": "Eve", "device_name": "Desk" }).to_string();
    assert_eq!(used, address.ask("POST", "/v1/sign-in", &never_made).await?, "a replayed invite and one never made");
    assert_eq!((used.0, &used.1["code"]), (401, &json!("unauthenticated")));
    Ok(())
}

#[tokio::test]
async fn every_refusal_has_the_error_body() -> Result<()> {
    let service = Service::start().await?;
    let raw = Raw::of(&service.admin().await?.account).await?;
    let picture = of_length(5 * 1024 * 1024 + 1);
    for (method, path, body, status, field) in [
        ("DELETE", "/v1/calls/query", "", 405, Some("method")),
        ("PUT", "/v1/call-types/default", "", 400, Some("body")),
        ("POST", "/healthz", "", 405, Some("method")),
        ("POST", "/v1/asks/seven/answer", "{}", 400, Some("id")),
        ("POST", "/v1/asks/-1/outcome", "{}", 400, Some("id")),
        ("GET", "/v1/people/%ff/avatar", "", 400, Some("id")),
        ("DELETE", "/v1/webhooks/%ff", "", 400, Some("hook")),
        ("GET", "/v1/webhooks/h1/deliveries?before=x", "", 400, Some("before")),
        ("GET", "/v1/people?limit=x", "", 400, Some("limit")),
        ("GET", "/v1/history?before=x", "", 400, Some("before")),
        ("GET", "/v1/calls/default/%ff", "", 400, Some("id")),
        ("GET", "/v1/socket", "", 400, Some("upgrade")),
        ("PUT", "/v1/me/avatar", picture.as_str(), 400, Some("image")),
        ("PUT", "/v1/me/avatar", "GIF89a", 400, Some("image")),
        ("GET", "/v2/people", "", 404, None),
    ] {
        let (answered, said) = raw.ask(method, path, body).await?;
        assert_eq!((answered, said["field"].as_str()), (status, field), "{method} {path}: {said}");
        assert!(said["code"].is_string() && said["message"].is_string(), "{method} {path}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn unknown_fields_are_ignored() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let raw = Raw::of(&ann.account).await?;
    let body = json!({"colour": "red", "data": {"mood": 1, "settings": {"smell": {"on": true}}}});
    let (status, answer) = raw.ask("POST", "/v1/calls/default/x", &body.to_string()).await?;
    assert_eq!((status, &answer["created"]), (200, &json!(true)));
    Ok(())
}

#[tokio::test]
async fn tokens_that_are_not_good_are_answered_alike() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person("ann").await?;
    let mut raw = Raw::of(&ann.account).await?;
    let good = raw.token.clone().context("a token")?;
    let (head, rest) = good.split_once('.').context("a JWT")?;
    let (claims, signature) = rest.split_once('.').context("a JWT")?;
    // {"typ":"JWT","alg":"none"}
    let unsigned = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{claims}.");
    let other = Service::start().await?;
    let elsewhere = Raw::of(&other.person("ann").await?.account).await?.token.context("a token")?;
    let (bad, stale) =
        ([String::new(), "x".to_owned(), unsigned], [format!("{head}.{claims}x.{signature}"), elsewhere]);
    raw.token = None;
    let none = raw.ask("GET", "/v1/snapshot", "").await?;
    assert_eq!((none.0, &none.1["code"]), (401, &json!("unauthenticated")));
    for token in bad {
        raw.token = Some(token.clone());
        assert_eq!(raw.ask("GET", "/v1/snapshot", "").await?, none, "{token}");
    }
    // With another secret than today's: whoever has been here fetches a new one, and nobody learns more by that.
    for token in stale {
        raw.token = Some(token.clone());
        let (status, answer) = raw.ask("GET", "/v1/snapshot", "").await?;
        assert_eq!((status, &answer["code"]), (401, &json!("token-expired")), "{token}");
    }
    Ok(())
}

#[tokio::test]
async fn another_teams_call_is_answered_as_one_that_does_not_exist() -> Result<()> {
    let service = Service::start().await?;
    let ann = service.person_with("ann", Role::User, Some("sales")).await?;
    let eve = service.person("eve").await?;
    let data = json!({"data": {"team": "sales"}});
    ann.client.get_or_create("default:secret".parse()?, serde_json::from_value(data)?).await?;
    let raw = Raw::of(&eve.account).await?;
    let user = json!({"user": "ann"});
    let cases = [
        ("GET", "", json!({})),
        ("PATCH", "", json!({"custom": {}})),
        ("POST", "/ring", json!({"notify": true})),
        ("POST", "/join", json!({})),
        ("POST", "/join", json!({"ring": "r1"})),
        ("POST", "/reject", json!({"ring": "r1", "reason": "decline"})),
        ("POST", "/leave", json!({})),
        ("POST", "/end", json!({})),
        ("POST", "/members", json!({"set": [{"user": "eve"}]})),
        ("POST", "/remove", user.clone()),
        ("POST", "/block", user.clone()),
        ("POST", "/unblock", user.clone()),
        ("POST", "/permissions", json!({"user": "eve", "grant": ["join-call"]})),
        ("POST", "/ask", json!({"capabilities": ["send-audio"]})),
        ("POST", "/mute", json!({})),
        ("POST", "/go-live", json!({})),
        ("POST", "/stop-live", json!({})),
        ("POST", "/pin", user.clone()),
        ("POST", "/unpin", user),
        ("POST", "/reaction", json!({"kind": "wave"})),
        ("POST", "/event", json!({"data": {}})),
    ];
    for (method, path, body) in cases {
        let there = raw.ask(method, &format!("/v1/calls/default/secret{path}"), &body.to_string()).await?;
        let not_there = raw.ask(method, &format!("/v1/calls/default/nonesuch{path}"), &body.to_string()).await?;
        assert_eq!(there, not_there, "{method} {path}");
        assert_eq!(there.1["code"], "call-not-found", "{method} {path}");
    }
    Ok(())
}

#[tokio::test]
async fn who_makes_calls_without_end_waits_and_may_still_ring() -> Result<()> {
    let service = Service::start().await?;
    let (ann, ben) = (service.person("ann").await?, service.person("ben").await?);
    let make = async |number: u32| {
        let cid = CallId::new("default", &format!("c{number}"))?;
        anyhow::Ok(ann.client.server().get_or_create(&cid, &GetOrCreate::default()).await.map(drop))
    };
    let mut refused = None;
    for number in 0..1_000 {
        if let Err(error) = make(number).await? {
            refused = Some((number, error.code()));
            break;
        }
    }
    let (made, code) = refused.context("it goes on for ever")?;
    assert!(made >= 300, "a month is planned at once: {made}");
    assert_eq!(code, Some(Code::RateLimited));
    let cid = ann.client.ring(vec![ben.account.user.clone()], call_client::Toggle::Off).await?;
    ben.is_in(&cid, call_client::CallingState::Ringing).await?;
    Ok(())
}
