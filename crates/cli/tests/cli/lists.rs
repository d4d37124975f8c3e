//! Lists longer than a page of the server: nothing is left out, and nothing is marked that was not printed.

use std::collections::BTreeSet;

use call_client::{Rest, SignInWish, sign_in};
use serde_json::Value;
use wire::{CallData, CallId, GetOrCreate, Leave, MemberData};

use crate::person::Server;

const MANY: usize = 120;

async fn misses(rest: &Rest, cid: &str) {
    let cid: CallId = cid.parse().unwrap();
    let members = vec![MemberData { user: "ben".parse().unwrap(), role: None, custom: Default::default() }];
    let data = CallData { members, ..CallData::default() };
    rest.get_or_create(&cid, &GetOrCreate { ring: true, data, ..GetOrCreate::default() }).await.unwrap();
    rest.leave(&cid, &Leave::default()).await.unwrap();
}

fn cids(lines: &[Value]) -> BTreeSet<&str> {
    lines.iter().map(|line| line["cid"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missed_call_is_listed_and_those_alone_are_marked() {
    let server = Server::start_with(&["--limits-factor", "100"]).await;
    let (ann, ben) = server.ann_and_ben().await;
    let invite = ann.invites(&[]).await.parse().unwrap();
    let cem = Rest::new(sign_in(&invite, SignInWish::named("Cem")).await.unwrap()).unwrap();
    for number in 0..MANY {
        misses(&cem, &format!("default:c{number}")).await;
    }
    assert_eq!(cids(&ben.run(&["missed"]).await.lines).len(), MANY);
    assert_eq!(ben.run(&["history"]).await.lines.len(), 100);
    assert_eq!(cids(&ben.run(&["history", "--limit", "105"]).await.lines).len(), 105);
    assert_eq!(cids(&ben.run(&["history", "--all"]).await.lines).len(), MANY);
    let newest = ben.run(&["history", "--limit", "1"]).await;
    assert_eq!(newest.lines[0]["cid"], format!("default:c{}", MANY - 1));
    assert_eq!(ben.run(&["history", "--limit", "1", "--all"]).await.exit, 2, "one or the other");
    assert_eq!(ben.run(&["missed", "--seen"]).await.lines.len(), MANY);
    misses(&cem, "default:later").await;
    assert_eq!(cids(&ben.run(&["missed"]).await.lines), ["default:later"].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_call_that_could_not_be_printed_is_not_marked() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let invite = ann.invites(&[]).await.parse().unwrap();
    let cem = Rest::new(sign_in(&invite, SignInWish::named("Cem")).await.unwrap()).unwrap();
    misses(&cem, "default:x").await;
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let lost = ben.command(&["missed", "--seen"]).stdout(full).spawn().unwrap().wait_with_output().await.unwrap();
    assert_eq!(lost.status.code(), Some(1), "{lost:?}");
    assert_eq!(cids(&ben.run(&["missed", "--seen"]).await.lines), ["default:x"].into(), "nobody has looked at it");
    assert_eq!(ben.run(&["missed"]).await.lines.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_of_a_large_server_is_listed_and_found_by_name() {
    let server = Server::start_with(&["--limits-factor", "100"]).await;
    let ann = server.ann().await;
    let invite = ann.invites(&["--uses", "200"]).await.parse().unwrap();
    for number in 0..MANY {
        sign_in(&invite, SignInWish::named(&format!("Person {number}"))).await.unwrap();
    }
    let people = ann.run(&["people"]).await;
    let ids: BTreeSet<&str> = people.lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!((people.lines.len(), ids.len(), ids.contains("ann")), (MANY, MANY, false));
    // Nobody of them is a contact: the name is looked up on the server.
    let call = ["call", "person 117", "--timeout", "5s", "--mic", "none", "--speaker", "none"];
    let ended = ann.run(&call).await;
    assert_eq!((ended.exit, &ended.last()["targets"]["person-117"]["outcome"]), (4, &"missed".into()), "{ended:?}");
}
