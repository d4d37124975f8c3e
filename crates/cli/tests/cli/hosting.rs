//! What an operator relies on: settings, certificates, copies, signals.

use std::{
    net::{Ipv6Addr, TcpListener, UdpSocket},
    path::Path,
    time::Duration,
};

use call_client::{Answers, Rest, answers_at};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use serde_json::Value;
use tokio::time::timeout;
use wire::{CallTypeData, Capability, Code, GetOrCreate};

use crate::person::{Person, Server, text};

/// This machine by an address that does not count as loopback: devices come by TLS.
pub(crate) const BY_TLS: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1);

/// Writes a certificate that vouches for itself.
fn self_made(certificate: &Path, key: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["bellbird.test".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
}

/// Waits until a command of this person ends as wanted.
async fn until_it_ends_with(person: &Person, arguments: &[&str], exit: i32, code: &str) {
    let look = async {
        loop {
            let outcome = person.run(arguments).await;
            if (outcome.exit, outcome.code()) == (exit, code) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), look)
        .await
        .unwrap_or_else(|_| panic!("{arguments:?} does not end with {exit} {code}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_wins_over_the_file_and_the_file_is_read_strictly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bellbird.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:1\"\nudp = \"127.0.0.1:0\"\nname = \"The office\"\n").unwrap();
    // Port 1 is not ours: the server would not start if the command line did not win.
    let server = Server::start_with(&["--config", text(&file), "--listen", "127.0.0.1:0"]).await;
    let ann = server.ann().await;
    assert_eq!(ann.run(&["whoami"]).await.lines[0]["server_name"], "The office");

    std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n").unwrap();
    let refused = ann.run(&["serve", "--config", text(&file)]).await;
    assert_eq!((refused.exit, refused.code()), (2, "invalid-request"));
    assert!(refused.told.contains("lisen") && refused.told.contains("bellbird.toml"), "{}", refused.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn call_types_come_from_the_file_at_every_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bellbird.toml");
    let types = "[call_types.standup.settings]\nring = { timeout_ms = 20000 }\n\
        [call_types.standup.grants]\nadmin = [\"create-call\", \"read-call\"]\n\
        [call_types.livestream.grants]\nguest = [\"read-call\"]\n";
    std::fs::write(&file, types).unwrap();
    let server = Server::start_with(&["--config", text(&file)]).await;
    let (ann, ben) = server.ann_and_ben().await;
    let made = async |person: &Person, cid: &str| {
        let account = std::fs::read_to_string(person.profile.join("account.json")).unwrap();
        let rest = Rest::new(serde_json::from_str(&account).unwrap()).unwrap();
        rest.get_or_create(&cid.parse().unwrap(), &GetOrCreate::default()).await.map(|made| made.state)
    };
    let first = made(&ann, "standup:first").await.unwrap();
    assert_eq!(first.call.settings.ring.timeout_ms, 20_000);
    let may: Vec<_> = first.own_capabilities.into_iter().collect();
    assert_eq!(may, [Capability::CreateCall, Capability::ReadCall], "what the file says and nothing else");
    let refused = async |cid: &str| made(&ben, cid).await.map_err(|error| error.code()).map(|_| ());
    assert_eq!(refused("standup:ben").await, Err(Some(Code::PermissionDenied)), "a role that is not named");
    assert_eq!(refused("livestream:ben").await, Err(Some(Code::PermissionDenied)), "in place of the built-in one");

    // An admin changes it by the API, until the next start.
    let account = std::fs::read_to_string(ann.profile.join("account.json")).unwrap();
    let rest = Rest::new(serde_json::from_str(&account).unwrap()).unwrap();
    let grants = [("admin".to_owned(), Capability::ALL.iter().copied().collect())].into();
    let settings = Some(serde_json::json!({ "ring": { "timeout_ms": 30_000 } }));
    rest.set_call_type("standup", &CallTypeData { settings, grants }).await.unwrap();
    assert_eq!(made(&ann, "standup:second").await.unwrap().call.settings.ring.timeout_ms, 30_000);
    let (address, data) = (server.address.clone(), server.path("server"));
    server.process.signal("TERM").await;
    let (_folder, _) = server.stop().await;
    let again = ["serve", "--data", text(&data), "--listen", &address, "--udp", "127.0.0.1:0", "--config", text(&file)];
    let mut second = ann.start(&again);
    second.line("it is ready", |line| line["event"] == "ready").await;
    assert_eq!(made(&ann, "standup:third").await.unwrap().call.settings.ring.timeout_ms, 20_000, "the file wins");
    second.signal("INT").await;
    assert_eq!(second.end().await.exit, 0);

    for (wrong, says) in [
        ("[call_types.a.settings]\nring = { timeout_ms = 1 }\n", "call_types.a.settings.ring.timeout_ms"),
        ("[call_types.a.settings]\nring = { timeout = 20000 }\n", "call_types.a.settings.ring.timeout"),
        ("[call_types.a.grants]\n\"a role\" = []\n", "call_types.a.grants"),
        ("[call_types.\"no name\".grants]\nuser = []\n", "call_types.no name"),
        ("[call_types.a.grants]\nuser = [\"fly\"]\n", "fly"),
        ("[call_types.a]\ngrant = { user = [] }\n", "grant"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let refused = ann.run(&again).await;
        assert_eq!((refused.exit, refused.code()), (2, "invalid-request"), "{wrong}: {refused:?}");
        assert!(refused.told.contains(says), "{says}: {}", refused.told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_start_says_why_and_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let taken_udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken_udp = taken_udp.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let nobody = Person { profile: folder.path().join("nobody") };
    let (missing, key) = (folder.path().join("missing.pem"), folder.path().join("key.pem"));
    let other = ["--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0"];
    for (arguments, exit, code, says) in [
        (&["--listen", &taken, "--udp", "127.0.0.1:0"][..], 7, "unavailable", "--listen"),
        (&["--listen", "127.0.0.1:0", "--udp", &taken_udp], 7, "unavailable", "choose another with --udp"),
        // An address of nobody (RFC 5737).
        (&["--listen", "127.0.0.1:0", "--udp", "192.0.2.1:0"], 7, "unavailable", "choose another with --udp"),
        (&[&other[..], &["--certificate", text(&missing)]].concat(), 2, "invalid-request", "go together"),
        (
            &[&other[..], &["--certificate", text(&missing), "--certificate-key", text(&key)]].concat(),
            2,
            "invalid-request",
            "missing.pem",
        ),
        (&[&other[..], &["--livekit-key", "key:short"]].concat(), 2, "invalid-request", "16 characters"),
    ] {
        let refused = nobody.run(&[&["serve", "--data", text(&data)], arguments].concat()).await;
        assert_eq!((refused.exit, refused.code()), (exit, code), "{arguments:?} {refused:?}");
        assert!(refused.told.contains(says), "{says}: {}", refused.told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_is_shown_after_a_hang_up_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
    self_made(&certificate, &key);
    let by_tls = BY_TLS.to_string();
    let files = ["--certificate", text(&certificate), "--certificate-key", text(&key), "--advertise", &by_tls];
    let server = Server::start_with(&files).await;
    assert!(server.invite.contains("pin="), "a certificate that vouches for itself is pinned: {}", server.invite);
    let ann = server.ann().await;
    assert_eq!(ann.run(&["whoami"]).await.exit, 0);
    let before = (std::fs::read(&certificate).unwrap(), std::fs::read(&key).unwrap());

    self_made(&certificate, &key);
    server.process.signal("HUP").await;
    until_it_ends_with(&ann, &["whoami"], 7, "unauthenticated").await;
    let watch = ann.run(&["watch"]).await;
    assert_eq!((watch.exit, watch.code()), (7, "unauthenticated"), "the same cause has the same end: {watch:?}");
    std::fs::write(&certificate, before.0).unwrap();
    std::fs::write(&key, before.1).unwrap();
    server.process.signal("HUP").await;
    until_it_ends_with(&ann, &["whoami"], 0, "").await;
    // What cannot be used is told, and changes nothing.
    std::fs::write(&key, "damaged").unwrap();
    server.process.signal("HUP").await;
    server.process.signal("TERM").await;
    let (_folder, ended) = server.stop().await;
    assert_eq!(ended.exit, 0);
    assert!(ended.told.contains("the old certificate stays in use"), "{}", ended.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_authority_is_known_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key, authority_file] =
        ["chain.pem", "key.pem", "authority.pem"].map(|name| folder.path().join(name));
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "An authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let signing_key = KeyPair::generate().unwrap();
    let mut issued = CertificateParams::new(Vec::new()).unwrap();
    issued.subject_alt_names.push(SanType::IpAddress(BY_TLS.into()));
    let issued = issued.signed_by(&signing_key, &authority).unwrap();
    std::fs::write(&certificate, issued.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    std::fs::write(&authority_file, authority.pem()).unwrap();
    let by_tls = BY_TLS.to_string();
    let files = ["--certificate", text(&certificate), "--certificate-key", text(&key), "--advertise", &by_tls];
    let server = Server::start_with(&[&files[..], &["--listen", "0.0.0.0:0"]].concat()).await;
    assert!(!server.invite.contains("pin="), "{}", server.invite);

    let ann = server.stranger("ann");
    let trusting =
        async |arguments: &[&str]| ann.run_with(arguments, &[("SSL_CERT_FILE", text(&authority_file))]).await;
    let signed_in = trusting(&["sign-in", &server.invite, "--id", "ann"]).await;
    assert_eq!(signed_in.exit, 0, "{signed_in:?}");
    let watch = trusting(&["whoami"]).await;
    assert_eq!(watch.lines[0]["user"], "ann", "{watch:?}");
    // Found by its address on the network, a code leads to the name that the certificate was issued for.
    let code = trusting(&["invite"]).await.lines[0]["code"].as_str().unwrap().to_owned();
    let port = server.address.rsplit_once(':').unwrap().1;
    let found = format!("[::ffff:7f00:2]:{port}");
    let ben = server.stranger("ben");
    let by_code = ["sign-in", &code, "--server", &found, "--id", "ben"];
    let signed_in = ben.run_with(&by_code, &[("SSL_CERT_FILE", text(&authority_file))]).await;
    let named: Value = format!("[{BY_TLS}]:{port}").into();
    assert_eq!((signed_in.exit, &signed_in.lines[0]["server"]), (0, &named), "{signed_in:?}");
    let stranger = ann.run(&["whoami"]).await;
    assert_ne!(stranger.exit, 0, "who does not trust the authority does not talk to the server");

    let data = folder.path().join("nameless");
    let nameless = ["--listen", "0.0.0.0:0", "--udp", "127.0.0.1:0", "--data", text(&data)];
    let refused = ann.run(&[&["serve"], &files[..4], &nameless[..]].concat()).await;
    assert_eq!((refused.exit, refused.code()), (2, "invalid-request"), "{refused:?}");
    assert!(refused.told.contains("--advertise"), "{}", refused.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_it_runs_is_the_same_server() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let invite = ann.invites(&[]).await;
    let copy = server.path("copy");
    let data = server.path("server");
    let made = ann.run(&["backup", text(&copy), "--data", text(&data)]).await;
    assert_eq!((made.exit, &made.lines[0]["backup"]), (0, &text(&copy).into()), "{made:?}");
    let again = ann.run(&["backup", text(&copy), "--data", text(&data)]).await;
    assert_eq!((again.exit, again.code()), (7, "unavailable"), "a folder with something in it is left alone");
    let nothing = ann.run(&["backup", text(&server.path("new")), "--data", text(&server.path("nowhere"))]).await;
    assert_eq!((nothing.exit, nothing.code()), (7, "unavailable"), "there is nothing to copy");

    let address = server.address.clone();
    server.process.signal("TERM").await;
    let (folder, _) = server.stop().await;
    let mut second = ann.start(&["serve", "--data", text(&copy), "--listen", &address, "--udp", "127.0.0.1:0"]);
    let ready = second.line("it is ready", |line| line["event"] == "ready").await;
    assert!(ready.get("invite").is_none(), "somebody has signed in: {ready}");
    assert_eq!(ben.run(&["whoami"]).await.lines[0]["user"], "ben");
    let cem = Person { profile: folder.path().join("cem") };
    assert_eq!(cem.run(&["sign-in", &invite, "--id", "cem"]).await.exit, 0, "invites are in the copy");
    second.signal("INT").await;
    assert_eq!(second.end().await.exit, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_listed_and_signed_out_from_another() {
    let server = Server::start().await;
    let ann = server.ann().await;
    let second = server.second_device(&ann, "ann-2").await;
    let devices = ann.run(&["devices"]).await;
    assert_eq!(devices.lines.len(), 2, "{devices:?}");
    let other = devices.lines.iter().find(|device| device["is_this"] == false).unwrap();
    assert!(other["name"].is_string() && other["created_at"].as_i64().unwrap() > 1_600_000_000_000, "{other}");
    let watch = second.start(&["watch"]);
    let id = other["device"].as_str().unwrap().to_owned();
    assert_eq!(ann.run(&["devices", "--sign-out", &id]).await.exit, 0);
    let gone = watch.end().await;
    assert_eq!((gone.exit, gone.code()), (7, "unauthenticated"), "{gone:?}");
    assert_eq!(second.run(&["whoami"]).await.code(), "unauthenticated");
    assert_eq!(ann.run(&["devices"]).await.lines.len(), 1);
    let unknown = ann.run(&["devices", "--sign-out", &id]).await;
    assert_eq!((unknown.exit, unknown.code()), (7, "invalid-request"), "{unknown:?}");
    // Its own: the profile forgets who it was.
    let this = devices.lines.iter().find(|device| device["is_this"] == true).unwrap();
    assert_eq!(ann.run(&["devices", "--sign-out", this["device"].as_str().unwrap()]).await.exit, 0);
    assert!(ann.run(&["whoami"]).await.told.contains("nobody is signed in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_does_not_answer_is_told_and_the_server_runs_all_the_same() {
    let server = Server::start_with(&["--map-ports", "--router", "127.77.1.1"]).await;
    let says = server.ready["outside"]["error"].as_str().unwrap();
    assert!(says.contains("forward"), "{says}");
    assert_eq!(server.ann().await.run(&["whoami"]).await.exit, 0);
    let doctor = server.stranger("nobody").run(&["doctor", "--router", "127.77.1.1"]).await;
    let router = doctor.lines.iter().find(|line| line["check"] == "router").unwrap();
    assert_eq!(router["ok"], false, "{doctor:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_known_at_an_address_and_another_is_not_taken_for_it() {
    let server = Server::start_with(&["--advertise", &BY_TLS.to_string()]).await;
    let invite: wire::Invite = server.invite.parse().unwrap();
    let address = server.address.parse().unwrap();
    let pin = invite.pin.unwrap();
    assert_eq!(answers_at(address, pin).await, Ok(Answers::Yes));
    assert_eq!(answers_at(address, wire::Pin([7; 32])).await, Ok(Answers::SomethingElse));
    server.process.signal("KILL").await;
    let (_folder, _) = server.stop().await;
    assert_eq!(answers_at(address, pin).await, Ok(Answers::No));
}
