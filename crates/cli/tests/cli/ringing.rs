//! Rings as scripts see them: lines, and the exit status of every end.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::{
    person::{Person, Server},
    slow::Slow,
};

const QUIET: [&str; 4] = ["--mic", "none", "--speaker", "none"];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &QUIET].concat()
}

/// Somebody who reaches the server through what holds his requests up.
async fn behind(slow: &Slow, server: &Server, friend: &Person, id: &str) -> Person {
    let person = server.stranger(id);
    let invite: wire::Invite = friend.invites(&[]).await.parse().unwrap();
    let invite = wire::Invite { server: slow.address.parse().unwrap(), ..invite };
    assert_eq!(person.run(&["sign-in", &invite.to_string(), "--id", id]).await.exit, 0);
    person
}

async fn reason_at_end(mut watch: crate::person::Running) -> Value {
    let line = watch.line("the ring is over", |line| !line["reason"].is_null()).await;
    watch.signal("TERM").await;
    assert_eq!(watch.end().await.exit, 0);
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_reaches_the_caller_with_its_words() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut watch = ben.start(&["watch"]);
    let mut call = ann.start(&with(&["call", "ben"]));
    let rings = watch.is("ringing").await;
    assert_eq!((&rings["direction"], &rings["caller"]), (&"incoming".into(), &"ann".into()));
    assert_eq!((&rings["is_created_by_me"], &rings["reason"]), (&false.into(), &Value::Null));
    assert!(rings["at"].as_i64().unwrap() > 1_600_000_000_000);
    call.line("a watching device counts as alerted", |line| line["targets"]["ben"]["alerted"] == true).await;
    assert_eq!(ben.run(&["reject", "--message", "in a meeting, 10 min"]).await.exit, 0);
    let ended = call.end().await;
    assert_eq!(ended.exit, 3, "{ended:?}");
    let target = &ended.last()["targets"]["ben"];
    assert_eq!((&target["outcome"], &target["reason"]), (&"declined".into(), &"decline".into()));
    assert_eq!((&target["message"], &ended.last()["reason"]), (&"in a meeting, 10 min".into(), &"declined".into()));
    assert_eq!(reason_at_end(watch).await["reason"], "declined");
    // Refused again, now that it is over: a success without effect (R5).
    let cid = rings["cid"].as_str().unwrap();
    assert_eq!(ben.run(&["reject", cid]).await.exit, 0);
    let history = ann.run(&["history"]).await;
    assert_eq!((&history.lines[0]["answered"], &history.lines[0]["reason"]), (&false.into(), &"decline".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nobody_can_ring_or_somebody_else_rings_is_refused_at_once() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let cem = server.friend(&ann, "cem").await;
    for nobody in ["zed", "Zed", "Ben Smith", "ben@home of his"] {
        let refused = cem.run(&with(&["call", nobody])).await;
        assert_eq!((refused.exit, refused.code()), (7, "invalid-request"), "{nobody}: {refused:?}");
        assert!(refused.told.contains(nobody), "{}", refused.told);
    }
    let mut call = ann.start(&with(&["call", "ben", "--cid", "default:x"]));
    call.is("ringing").await;
    for people in [["ben"], ["ann"]] {
        let refused = cem.run(&with(&[&["call"][..], &people, &["--cid", "default:x"]].concat())).await;
        assert_eq!((refused.exit, refused.code()), (7, "conflict"), "{people:?}: {refused:?}");
    }
    assert_eq!(ben.run(&["reject"]).await.exit, 0);
    assert_eq!(call.end().await.exit, 3, "and her ring is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_has_an_exit_of_its_own() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut call = ann.start(&with(&["call", "ben"]));
    call.is("ringing").await;
    for words in [["--reason", "busy"], ["--message", "later"]] {
        let refused = ben.run(&[&["leave"][..], &words].concat()).await;
        assert_eq!((refused.exit, refused.code()), (2, "invalid-request"), "they would be lost: {refused:?}");
        assert!(refused.told.contains("--reject"), "{}", refused.told);
    }
    assert_eq!(ben.run(&["leave", "--reject", "--reason", "busy"]).await.exit, 0);
    let ended = call.end().await;
    assert_eq!((ended.exit, &ended.last()["reason"]), (5, &"busy".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_in_time_and_a_missed_call_is_left() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let waits = ben.start(&with(&["answer", "default:something-else"]));
    let ended = ann.run(&with(&["call", "ben", "--timeout", "5s", "--message", "lunch?"])).await;
    assert_eq!((ended.exit, &ended.last()["reason"]), (4, &"timeout".into()), "{ended:?}");
    let missed = ben.run(&["missed", "--seen"]).await;
    assert_eq!(missed.lines.len(), 1, "{missed:?}");
    assert_eq!((&missed.lines[0]["caller"], &missed.lines[0]["reason"]), (&"ann".into(), &"timeout".into()));
    assert_eq!(ben.run(&["missed"]).await.lines.len(), 0, "it has been looked at");
    assert_eq!(ben.run(&["history"]).await.lines.len(), 1);
    waits.signal("INT").await;
    assert_eq!(waits.end().await.exit, 6, "interrupted while nothing it wanted rang");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_or_cancel_stops_the_ringing_everywhere() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    for by_signal in [true, false] {
        let mut watch = ben.start(&["watch"]);
        let call = ann.start(&with(&["call", "ben"]));
        watch.is("ringing").await;
        if by_signal {
            call.signal("INT").await;
        } else {
            assert_eq!(ann.run(&["cancel"]).await.exit, 0);
        }
        let ended = call.end().await;
        assert_eq!((ended.exit, &ended.last()["reason"]), (6, &"cancelled".into()), "{ended:?}");
        let over = reason_at_end(watch).await;
        assert_eq!((&over["reason"], &over["calling_state"]), (&"cancelled".into(), &"left".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_device_answers_and_the_other_is_told() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let second = server.second_device(&ben, "ben-2").await;
    let answers = [&ben, &second].map(|device: &Person| device.start(&with(&["answer", "default:b"])));
    let [mut first, mut other] = answers;
    // Another call shows that both are connected.
    let call = ann.start(&with(&["call", "ben"]));
    first.is("ringing").await;
    other.is("ringing").await;
    call.signal("INT").await;
    assert_eq!(call.end().await.exit, 6);
    // Both take the ring at the same moment; the server lets one in.
    let call = ann.start(&with(&["call", "ben", "--cid", "default:b", "--for", "1s"]));
    let (first, other, call) = tokio::join!(first.end(), other.end(), call.end());
    let mut exits = [first.exit, other.exit];
    exits.sort_unstable();
    assert_eq!((exits, call.exit), ([0, 9], 0), "{first:?} {other:?}");
    let told = if first.exit == 9 { &first } else { &other };
    assert_eq!((&told.last()["reason"], &told.last()["cid"]), (&"answered-elsewhere".into(), &"default:b".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn r16_two_who_call_each_other_are_in_one_call_whoever_was_first() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    for (anns, bens) in [("default:z0", "default:a0"), ("default:a1", "default:z1")] {
        let mut first = ann.start(&with(&["call", "ben", "--cid", anns]));
        first.is("ringing").await;
        let mut second = ben.start(&with(&["call", "ann", "--cid", bens]));
        let lower = anns.min(bens);
        for call in [&mut first, &mut second] {
            assert_eq!(call.is("joined").await["cid"], lower);
        }
        // For two, the end is there when one hangs up (R17).
        second.signal("INT").await;
        let (first, second) = tokio::join!(first.end(), second.end());
        assert_eq!((first.exit, second.exit), (0, 0), "{first:?} {second:?}");
        assert_eq!((&first.last()["cid"], &first.last()["reason"]), (&lower.into(), &"answered".into()), "{first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connected_process_a_profile() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut watch = ben.start(&["watch"]);
    let mut call = ann.start(&with(&["call", "ben"]));
    watch.is("ringing").await;
    let second = ben.run(&with(&["answer"])).await;
    assert_eq!((second.exit, second.code()), (7, "conflict"), "{second:?}");
    // A plain leave dismisses on this device alone (R6): nobody is told, and the caller rings on.
    assert_eq!(ben.run(&["leave"]).await.exit, 0);
    let dismissed = watch.is("left").await;
    assert_eq!((&dismissed["reason"], &dismissed["targets"]["ben"]["outcome"]), (&Value::Null, &"ringing".into()));
    watch.signal("INT").await;
    assert_eq!(watch.end().await.exit, 0);
    // It still rings, and a new process of the same device may take it.
    let mut again = ben.start(&with(&["answer"]));
    call.is("joined").await;
    again.is("joined").await;
    again.signal("INT").await;
    let (again, call) = tokio::join!(again.end(), call.end());
    assert_eq!((again.exit, call.exit), (0, 0), "{again:?} {call:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_while_it_rings_is_not_reachable_and_nobody_is_said_not_to_have_answered() {
    let server = Server::start().await;
    let (ann, _ben) = server.ann_and_ben().await;
    let mut call = ann.start(&with(&["call", "ben", "--timeout", "5s"]));
    call.is("ringing").await;
    server.process.signal("KILL").await;
    let ended = call.end().await;
    assert_eq!((ended.exit, ended.code()), (8, "unavailable"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_is_heard_while_the_server_does_not_answer_the_ring() {
    let server = Server::start().await;
    let (ann, _ben) = server.ann_and_ben().await;
    let slow = Slow::before(&server.address, "POST /v1/calls/").await;
    let cem = behind(&slow, &server, &ann, "cem").await;
    let call = cem.start(&with(&["call", "ben"]));
    slow.swallowed().await;
    call.signal("INT").await;
    let ended = timeout(Duration::from_secs(6), call.end()).await.expect("it does not wait for the answer");
    assert_eq!(ended.exit, 6, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_one_processs_and_what_one_left_behind_that_has_ended_is_nobodys() {
    let server = Server::start().await;
    let (_ann, ben) = server.ann_and_ben().await;
    let (socket, lock) = (ben.profile.join("running.sock"), ben.profile.join("running.lock"));
    // As the app holds it, which answers nothing here.
    let holder = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let file = std::fs::File::create(lock).unwrap();
    file.lock().unwrap();
    let refused = ben.run(&with(&["answer"])).await;
    assert_eq!((refused.exit, refused.code()), (7, "conflict"), "{refused:?}");
    assert!(socket.exists(), "it is the other's");
    drop((holder, file));
    let waits = ben.start(&with(&["answer"]));
    timeout(Duration::from_secs(10), async {
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("its socket is in the place of the old one");
    waits.signal("INT").await;
    waits.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_that_was_there_before_does_not_take_over_is_said() {
    let server = Server::start().await;
    let (ann, _ben) = server.ann_and_ben().await;
    let again = ["--message", "lunch?", "--timeout", "5s"];
    for (wish, is_said) in [(&again[..2], false), (&again, true)] {
        let mut call = ann.start(&with(&[&["call", "ben", "--cid", "default:x"][..], wish].concat()));
        call.is("ringing").await;
        call.signal("INT").await;
        let ended = call.end().await;
        assert_eq!(ended.exit, 6, "{ended:?}");
        assert_eq!(ended.told.contains("--timeout cancels it"), is_said, "{}", ended.told);
        assert!(!ended.told.contains("--message"), "it is about the same: {}", ended.told);
    }
    let mut call = ann.start(&with(&["call", "ben", "--cid", "default:x", "--message", "dinner?"]));
    call.is("ringing").await;
    call.signal("INT").await;
    assert!(call.end().await.told.contains("--message is not told"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_there_before_is_rung_no_longer_than_timeout_says() {
    let server = Server::start().await;
    let (ann, _ben) = server.ann_and_ben().await;
    let mut first = ann.start(&with(&["call", "ben", "--cid", "default:x"]));
    first.is("ringing").await;
    first.signal("INT").await;
    first.end().await;
    let again = ann.run(&with(&["call", "ben", "--cid", "default:x", "--timeout", "5s"])).await;
    assert_eq!(again.exit, 4, "{again:?}");
    let at =
        |state: &str| again.lines.iter().find(|line| line["calling_state"] == state).unwrap()["at"].as_i64().unwrap();
    let rang =
        again.lines.iter().rev().find(|line| line["calling_state"] != "ringing").unwrap()["at"].as_i64().unwrap()
            - at("ringing");
    assert!((4_900..6_500).contains(&rang), "{rang} ms: {again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_interrupted_on_its_way_in_is_no_call_and_stops_no_ringing_elsewhere() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let slow = Slow::before(&server.address, "POST /v1/calls/default/x/join").await;
    let ben = behind(&slow, &server, &ann, "ben").await;
    let mut call = ann.start(&with(&["call", "ben", "--cid", "default:x"]));
    call.is("ringing").await;
    let answer = ben.start(&with(&["answer"]));
    slow.swallowed().await;
    answer.signal("INT").await;
    let ended = timeout(Duration::from_secs(6), answer.end()).await.expect("it does not wait for the answer");
    assert_eq!(ended.exit, 6, "{ended:?}");
    assert!(!ended.told.contains("ended before"), "{}", ended.told);
    call.signal("INT").await;
    assert_eq!(call.end().await.exit, 6, "it rang on");
}
