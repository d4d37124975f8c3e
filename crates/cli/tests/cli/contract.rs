//! Rows of the command line's contract that no story needs: every option, line and exit status that scripts rely on.

use serde_json::Value;

use crate::person::{Server, text};

const QUIET: [&str; 4] = ["--mic", "none", "--speaker", "none"];

fn keys(line: &Value) -> Vec<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_lets_in_as_many_as_it_says_with_role_and_team() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let invite = ann.invites(&["--uses", "2", "--role", "guest", "--team", "red"]).await;
    for id in ["ben", "cem"] {
        let signed_in = server.stranger(id).run(&["sign-in", &invite, "--id", id]).await;
        assert_eq!(keys(&signed_in.lines[0]), ["device", "server", "user"], "{signed_in:?}");
        assert_eq!(server.stranger(id).run(&["whoami"]).await.lines[0]["role"], "guest");
    }
    let third = server.stranger("dan").run(&["sign-in", &invite]).await;
    assert_eq!((third.exit, third.code()), (7, "unauthenticated"));
    for (arguments, exit, code) in [
        (&["invite", "--uses", "0"][..], 2, "invalid-request"),
        (&["invite", "--uses", "1001"], 7, "invalid-request"),
        (&["invite", "--expires", "60d"], 2, "invalid-request"),
        (&["invite", "--expires", "soon"], 2, "invalid-request"),
        (&["invite", "--role", "king"], 2, "invalid-request"),
    ] {
        let refused = ann.run(arguments).await;
        assert_eq!((refused.exit, refused.code()), (exit, code), "{arguments:?} {refused:?}");
    }
    let made = ann.run(&["invite", "--expires", "1d"]).await;
    assert_eq!(keys(&made.lines[0]), ["code", "expires_at", "invite"]);
    let (link, code) = (made.lines[0]["invite"].as_str().unwrap(), made.lines[0]["code"].as_str().unwrap());
    assert!(link.contains(code), "{link} {code}");
    // Guests bring nobody.
    let refused = server.stranger("ben").run(&["invite"]).await;
    assert_eq!((refused.exit, refused.code()), (7, "permission-denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_on_nothing_is_refused_and_acting_again_is_no_error() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    for arguments in [&["cancel"][..], &["leave"], &["reject"], &["leave", "--reject"]] {
        let refused = ann.run(arguments).await;
        assert_eq!((refused.exit, refused.code()), (7, "ring-over"), "{arguments:?} {refused:?}");
    }
    for arguments in [&["cancel", "default:nothing"][..], &["leave", "default:nothing"], &["reject", "default:nothing"]]
    {
        let refused = ann.run(arguments).await;
        assert_eq!((refused.exit, refused.code()), (7, "call-not-found"), "{arguments:?} {refused:?}");
    }
    let mut watch = ben.start(&["watch"]);
    let call = ann.start(&[&["call", "ben", "--cid", "default:x", "--message", "lunch?"][..], &QUIET].concat());
    watch.is("ringing").await;
    assert_eq!(ben.run(&["cancel", "default:x"]).await.code(), "conflict", "it is ann's ring");
    let cancelled = ann.run(&["cancel", "default:x"]).await;
    assert_eq!((cancelled.exit, &cancelled.lines[0]["done"]), (0, &"cancelled".into()));
    assert_eq!(call.end().await.exit, 6);
    for (person, arguments) in [
        (&ann, &["cancel", "default:x"][..]),
        (&ann, &["leave", "default:x"]),
        (&ben, &["leave", "default:x"]),
        (&ben, &["reject", "default:x", "--reason", "busy", "--message", "later"]),
    ] {
        let again = person.run(arguments).await;
        assert_eq!(again.exit, 0, "{arguments:?} {again:?}");
    }
    watch.signal("TERM").await;
    assert_eq!(watch.end().await.exit, 0);
    let line = &ben.run(&["missed"]).await.lines[0];
    assert_eq!(
        keys(line),
        ["answered", "at", "caller", "cid", "custom", "direction", "duration_ms", "people", "reason"]
    );
    assert_eq!(line["custom"]["message"], "lunch?");
    assert_eq!(
        (&line["answered"], &line["direction"], &line["reason"]),
        (&false.into(), &"incoming".into(), &"cancel".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_as_long_as_a_ring_may_be() {
    let server = Server::start().await;
    let (ann, _ben) = server.ann_and_ben().await;
    for time in ["1s", "10m"] {
        let refused = ann.run(&[&["call", "ben", "--timeout", time][..], &QUIET].concat()).await;
        assert_eq!((refused.exit, refused.code()), (2, "invalid-request"), "{refused:?}");
        assert!(refused.told.contains("--timeout") && refused.told.contains("5s to 3m"), "{}", refused.told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_short_and_plain_and_stands_in_the_history() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let long = "x".repeat(501);
    for words in ["", "one\ntwo", "lunch\u{202e}?", &long] {
        for command in [&["call", "ben"][..], &["reject"]] {
            let refused = ann.run(&[command, &["--message", words]].concat()).await;
            assert_eq!((refused.exit, refused.code()), (2, "invalid-request"), "{refused:?}");
            assert!(refused.told.contains("--message"), "{}", refused.told);
        }
    }
    let mut watch = ben.start(&["watch"]);
    let call = ann.start(&[&["call", "ben", "--message", "lunch?"][..], &QUIET].concat());
    assert_eq!(watch.is("ringing").await["message"], "lunch?", "who is rung reads it");
    assert_eq!(ben.run(&["reject", "--message", "later"]).await.exit, 0);
    assert_eq!(call.end().await.exit, 3);
    watch.signal("INT").await;
    watch.end().await;
    let line = &ann.run(&["history"]).await.lines[0];
    assert_eq!((&line["custom"]["message"], &line["message"]), (&"lunch?".into(), &"later".into()), "{line}");
    let mut plain = tokio::process::Command::new(env!("CARGO_BIN_EXE_bellbird"));
    let plain = plain.arg("--profile").arg(&ann.profile).arg("history").output().await.unwrap();
    let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(plain.trim_end().ends_with("\t“lunch?”\t“later”"), "{plain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lets_any_client_into_a_room() {
    let server = Server::start_with(&["--livekit-key", "key:0123456789abcdef"]).await;
    let nobody = server.stranger("nobody");
    let token = ["token", "--room", "default:x", "--identity", "robot"];
    let given = nobody.run(&[&token[..], &["--livekit-key", "key:0123456789abcdef"]].concat()).await;
    assert_eq!(keys(&given.lines[0]), ["identity", "room", "token"], "{given:?}");
    assert_eq!(given.lines[0]["token"].as_str().unwrap().split('.').count(), 3, "a JWT");
    let keeps = Server::start().await;
    let kept = nobody.run(&[&token[..], &["--data", text(&keeps.path("server"))]].concat()).await;
    assert_eq!(kept.exit, 0, "{kept:?}");
    let typo = server.path("sever");
    let missing = nobody.run(&[&token[..], &["--data", text(&typo)]].concat()).await;
    assert_eq!((missing.exit, typo.exists()), (7, false), "no key is made where no server has been: {missing:?}");
    let short = nobody.run(&[&token[..], &["--livekit-key", "key:short"]].concat()).await;
    assert_eq!((short.exit, short.code()), (2, "invalid-request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_pages_know_every_command() {
    let server = Server::start().await;
    let nobody = server.stranger("nobody");
    let pages = server.path("man");
    assert_eq!(nobody.run(&["man", "--dir", text(&pages)]).await.exit, 0);
    let commands = [
        "serve", "sign-in", "sign-out", "invite", "find", "join", "admit", "whoami", "people", "devices", "call",
        "watch", "answer", "reject", "cancel", "leave", "end", "history", "missed", "token", "backup", "doctor",
    ];
    for shell in ["bash", "zsh", "fish"] {
        let script = nobody.command(&["completions", shell]).output().await.unwrap();
        let script = String::from_utf8_lossy(&script.stdout).into_owned();
        for command in commands {
            assert!(script.contains(command), "{shell} completes {command}");
        }
    }
    for command in commands {
        assert!(pages.join(format!("bellbird-{command}.1")).exists(), "a page of {command}");
    }
    let unknown = nobody.run(&["man", "frobnicate"]).await;
    assert_eq!((unknown.exit, unknown.code()), (2, "invalid-request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_says_what_is_missing_also_to_programs() {
    let server = Server::start().await;
    let nobody = server.stranger("nobody");
    for (arguments, missing) in [(&["call"][..], "<PERSON>"), (&["end"], "<TYPE:ID>"), (&["sign-in"], "<INVITE>")] {
        let wrong = nobody.run(arguments).await;
        let said = wrong.lines[0]["error"]["message"].as_str().unwrap_or_default();
        assert_eq!((wrong.exit, wrong.code()), (2, "invalid-request"), "{wrong:?}");
        assert!(said.contains(missing) && !said.contains("Usage"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_ends_as_it_finds() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let well = ann.run(&["doctor"]).await;
    assert_eq!(well.exit, 0, "{well:?}");
    assert!(well.lines.iter().any(|line| line["check"] == "signed in" && line["ok"] == true));
    let stranger = server.stranger("nobody").run(&["doctor"]).await;
    assert_eq!((stranger.exit, stranger.code()), (7, "unavailable"), "{stranger:?}");
    assert!(stranger.lines.iter().any(|line| line["check"] == "account" && line["ok"] == false), "{stranger:?}");
    server.process.signal("KILL").await;
    let away = ann.run(&["doctor"]).await;
    assert_eq!((away.exit, away.code()), (8, "unavailable"), "{away:?}");
    assert!(away.lines.iter().any(|line| line["check"] == "answer" && line["ok"] == false), "{away:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_lost_is_no_success_and_a_reader_that_has_gone_no_failure() {
    let server = Server::start().await;
    let ann = server.ann().await;
    for arguments in [&["whoami"][..], &["completions", "bash"], &["man"], &["--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let lost = ann.command(arguments).stdout(full).spawn().unwrap().wait_with_output().await.unwrap();
        let told = String::from_utf8_lossy(&lost.stderr);
        assert_eq!(lost.status.code(), Some(1), "{arguments:?} {told}");
        assert!(told.contains("standard output cannot be written"), "{arguments:?} {told}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let unread = ann.command(arguments).stdout(writer).spawn().unwrap().wait_with_output().await.unwrap();
        assert_eq!(unread.status.code(), Some(0), "{arguments:?} {unread:?}");
    }
}
