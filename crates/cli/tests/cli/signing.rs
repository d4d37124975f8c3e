//! Signing in and out, invites, people; wrong usage and a server that is away.

use std::os::unix::fs::PermissionsExt as _;

use crate::person::{Server, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_lets_one_device_in_and_signing_out_forgets_it() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let mode = std::fs::metadata(ann.profile.join("account.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner may read a sign-in");

    let who = ann.run(&["whoami"]).await;
    assert_eq!((&who.lines[0]["user"], &who.lines[0]["role"]), (&"ann".into(), &"admin".into()));
    let invite = ann.run(&["invite", "--expires", "1d", "--role", "guest"]).await;
    assert!(invite.lines[0]["code"].is_string() && invite.lines[0]["expires_at"].is_i64(), "{invite:?}");
    let link = invite.lines[0]["invite"].as_str().unwrap().to_owned();

    let ben = server.stranger("ben");
    let signed_in = ben.run(&["sign-in", &link, "--name", "Ben Smith"]).await;
    assert_eq!(signed_in.lines[0]["user"], "ben-smith");
    assert!(signed_in.lines[0]["device"].is_string() && signed_in.lines[0]["server"].is_string());
    let people = ann.run(&["people"]).await;
    assert_eq!((&people.lines[0]["id"], &people.lines[0]["role"]), (&"ben-smith".into(), &"guest".into()));

    let again = ben.run(&["sign-in", &link]).await;
    assert_eq!((again.exit, again.code()), (7, "conflict"), "this profile is taken");
    let used = server.stranger("eve").run(&["sign-in", &link]).await;
    assert_eq!((used.exit, used.code()), (7, "unauthenticated"), "this invite is used up");
    assert!(used.told.contains("ask for a new one"), "{}", used.told);

    let second = server.second_device(&ann, "ann-2").await;
    assert_eq!(second.run(&["whoami"]).await.lines[0]["user"], "ann");

    assert_eq!(ben.run(&["sign-out"]).await.exit, 0);
    let gone = ben.run(&["whoami"]).await;
    assert_eq!((gone.exit, gone.code()), (7, "unauthenticated"));
    assert!(gone.told.contains("sign-in"), "says what to do: {}", gone.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_is_not_used_up_by_who_cannot_keep_the_sign_in() {
    let server = Server::start().await;
    let taken = server.stranger("taken");
    std::fs::write(&taken.profile, "a file where the folder is to be").unwrap();
    let refused = taken.run(&["sign-in", &server.invite]).await;
    assert_ne!(refused.exit, 0, "{refused:?}");
    assert!(refused.told.contains("account.json"), "says which file: {}", refused.told);
    let ann = server.stranger("ann").run(&["sign-in", &server.invite, "--id", "ann"]).await;
    assert_eq!(ann.exit, 0, "the invite is still good: {ann:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_wrong_usage() {
    let server = Server::start().await;
    let ann = server.ann().await;
    for arguments in [
        &["frobnicate"][..],
        &["call"],
        &["call", "ben", "--for", "soon"],
        &["call", "ben", "--cid", "no colon"],
        &["sign-in", "https://example.org"],
        &["invite", "--me", "--role", "admin"],
        &["call", "ben", "--mic", "/nowhere/voice.wav"],
        &["end"],
        &["invite", "--list", "--me"],
        &["invite", "--list", "--revoke", "i1"],
        &["invite", "--expires", "1h", "--revoke", "i1"],
        &["serve", "--livekit-key", "short"],
        &["serve", "--advertise", "https://calls.example.org"],
        &["serve", "--advertise", "calls.example.org:443"],
        &["serve", "--advertise", "[::1]"],
        &["serve", "--name", ""],
        &["call", ""],
        &["token", "--room", "", "--identity", "robot"],
        &["token", "--room", "default:x", "--identity", ""],
        &["token", "--room", "default:x", "--identity", "robot", "--minutes", "0"],
        &["token", "--room", "default:x", "--identity", "robot", "--minutes", "1441"],
        &["keys", "--make", "shop", "--scope", "ring", "--expires", "0d"],
        &["sign-in", "abcd-efgh-jkmn-pqrs-tuvw", "--server", "http://localhost:7480"],
    ] {
        let outcome = ann.run(arguments).await;
        assert_eq!((outcome.exit, outcome.code()), (2, "invalid-request"), "{arguments:?}: {outcome:?}");
        assert!(!outcome.told.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_printed_with_its_code() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let nobody = ann.run(&["call", "cem", "--mic", "none", "--speaker", "none"]).await;
    assert_eq!((nobody.exit, nobody.code()), (7, "invalid-request"));
    assert!(nobody.told.contains("cem"), "{}", nobody.told);
    let missing = ann.run(&["end", "default:nothing"]).await;
    assert_eq!((missing.exit, missing.code()), (7, "call-not-found"));
    let silent = ben.run(&["reject"]).await;
    assert_eq!((silent.exit, silent.code()), (7, "ring-over"));
    let role = ben.run(&["invite", "--role", "admin"]).await;
    assert_eq!((role.exit, role.code()), (7, "permission-denied"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_told_apart_from_one_that_refuses() {
    let server = Server::start().await;
    let (ann, _) = server.ann_and_ben().await;
    server.process.signal("TERM").await;
    let (folder, ended) = server.stop().await;
    assert_eq!(ended.exit, 0, "a server shuts down properly");
    for arguments in [
        &["whoami"][..],
        &["call", "ben", "--mic", "none", "--speaker", "none"],
        &["answer", "--mic", "none", "--speaker", "none"],
        &["watch"],
        &["reject"],
        &["history"],
    ] {
        let outcome = ann.run(arguments).await;
        assert_eq!((outcome.exit, outcome.code()), (8, "unavailable"), "{arguments:?}: {outcome:?}");
    }
    drop(folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_forgotten_here_where_the_server_is_gone_or_nobody_can_read_it() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    std::fs::write(ben.profile.join("account.json"), "{ torn").unwrap();
    for arguments in [&["sign-out"][..], &["sign-in", &ann.invites(&[]).await]] {
        let damaged = ben.run(arguments).await;
        assert_eq!((damaged.exit, damaged.code()), (7, "unauthenticated"), "{damaged:?}");
        assert!(damaged.told.contains("sign-out --forget"), "{}", damaged.told);
    }
    let forgotten = ben.run(&["sign-out", "--forget"]).await;
    assert_eq!((forgotten.exit, &forgotten.lines[0]["user"]), (0, &serde_json::Value::Null), "{forgotten:?}");
    assert!(!ben.profile.join("account.json").exists());
    let nobody = ben.run(&["sign-out", "--forget"]).await;
    assert_eq!((nobody.exit, nobody.code()), (7, "unauthenticated"), "nobody is left: {nobody:?}");

    server.process.signal("KILL").await;
    let gone = ann.run(&["sign-out"]).await;
    assert_eq!((gone.exit, gone.code()), (8, "unavailable"), "{gone:?}");
    assert!(gone.told.contains("sign-out --forget"), "{}", gone.told);
    assert_eq!(ann.run(&["whoami"]).await.exit, 8, "still signed in");
    let forgotten = ann.run(&["sign-out", "--forget"]).await;
    assert_eq!((forgotten.exit, &forgotten.lines[0]["user"]), (0, &"ann".into()), "{forgotten:?}");
    assert_eq!(ann.run(&["whoami"]).await.code(), "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_manual_pages_come_from_the_commands() {
    let server = Server::start().await;
    let pages = server.path("man");
    let written = server.stranger("ann").run(&["man", "--dir", text(&pages)]).await;
    assert_eq!(written.exit, 0, "{written:?}");
    let page = std::fs::read_to_string(pages.join("bellbird-call.1")).unwrap();
    assert!(page.contains("speaker"), "{page}");
    let script = server.stranger("ann").command(&["completions", "bash"]).output().await.unwrap();
    assert!(String::from_utf8_lossy(&script.stdout).contains("sign-in"));
}
