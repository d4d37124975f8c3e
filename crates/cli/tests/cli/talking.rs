//! Calls with media from and to files: a headless participant.

use std::time::Duration;

use call_client::{Account, CallingState, Client, Toggle};
use media::{Choice, Engine, EngineOptions, Vp8Decoder};
use tokio::time::timeout;

use crate::{
    person::{Server, text},
    sound::{assert_heard, card, loud_for, recorded, tone},
};

#[tokio::test(flavor = "multi_thread")]
async fn each_hears_the_file_of_the_other() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let path = |name: &str| server.path(name);
    let (ann_says, ben_says) = (path("ann-says.wav"), path("ben-says.wav"));
    let (ann_hears, ben_hears) = (path("ann-hears.wav"), path("ben-hears.wav"));
    tone(&ann_says, 997.0, 48_000, 4);
    tone(&ben_says, 1_499.0, 44_100, 4);
    let answer =
        ben.start(&["answer", "--auto", "--mic", text(&ben_says), "--speaker", text(&ben_hears), "--camera", "none"]);
    let call = ann.start(&["call", "ben", "--for", "3s", "--mic", text(&ann_says), "--speaker", text(&ann_hears)]);
    let (call, answer) = tokio::join!(call.end(), answer.end());
    assert_eq!((call.exit, answer.exit), (0, 0), "{call:?} {answer:?}");
    let states: Vec<_> = call.lines.iter().map(|line| line["calling_state"].as_str().unwrap()).collect();
    let first = |state| states.iter().position(|seen| *seen == state).unwrap_or_else(|| panic!("{state}: {states:?}"));
    assert!(first("ringing") < first("joining") && first("joining") < first("joined"), "{states:?}");
    assert_eq!(
        (call.last()["calling_state"].as_str(), call.last()["reason"].as_str()),
        (Some("left"), Some("answered"))
    );
    assert_eq!(answer.last()["calling_state"], "ended", "the call was for two");
    assert_heard(&ann_hears, 1_499.0, 997.0);
    assert_heard(&ben_hears, 997.0, 1_499.0);
    let seconds = recorded(&ann_hears).len() as f64 / 48_000.0;
    assert!((2.5..4.0).contains(&seconds), "a recording is as long as the call: {seconds} s");

    for person in [&ann, &ben] {
        let history = person.run(&["history"]).await;
        let entry = &history.lines[0];
        assert_eq!((&entry["answered"], &entry["caller"]), (&true.into(), &"ann".into()), "{history:?}");
        assert!((2_500..6_000).contains(&entry["duration_ms"].as_u64().unwrap()), "{entry}");
        assert!(entry["reason"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_kept_where_no_call_takes_place_or_it_is_said_as_well() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let dear = server.path("dear.wav");
    tone(&dear, 997.0, 48_000, 1);
    let before = std::fs::read(&dear).unwrap();
    let mut call = ann.start(&["call", "ben", "--mic", "none", "--speaker", text(&dear), "--camera", "none"]);
    call.is("ringing").await;
    assert_eq!(ben.run(&["reject"]).await.exit, 0);
    assert_eq!(call.end().await.exit, 3);
    let nowhere = ann.run(&["call", "ben", "--mic", "none", "--speaker", "/nowhere/heard.wav"]).await;
    assert_eq!((nowhere.exit, nowhere.code()), (2, "invalid-request"), "{nowhere:?}");
    let both = ann.run(&["call", "ben", "--mic", text(&dear), "--speaker", text(&dear)]).await;
    assert_eq!((both.exit, both.code()), (2, "invalid-request"), "{both:?}");
    assert!(both.told.contains("--mic"), "{}", both.told);
    assert!(std::fs::read(&dear).unwrap() == before, "nothing was heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_whole_when_the_process_is_killed() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let (says, hears, shows) = (server.path("says.wav"), server.path("hears.wav"), server.path("card.y4m"));
    tone(&says, 997.0, 22_050, 4);
    card(&shows);
    let mut answer = ben.start(&["answer", "--mic", "none", "--speaker", text(&hears), "--camera", text(&shows)]);
    let call = ann.start(&["call", "ben", "--video", "--mic", text(&says), "--speaker", "none", "--camera", "none"]);
    answer.is("joined").await;
    // The file itself says when more than a second of the tone can be read.
    let long_enough = async {
        while hound::WavReader::open(&hears).is_err() || loud_for(&hears) < 60_000 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(15), long_enough).await.expect("the recording grows");
    answer.signal("KILL").await;
    assert_eq!(answer.end().await.exit, -1);
    assert_heard(&hears, 997.0, 1_499.0);
    call.signal("TERM").await;
    let ended = call.end().await;
    assert_eq!(ended.exit, 0, "a call took place: {ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_devices_is_in_the_call_all_the_same() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut answer = ben.start(&["answer"]);
    let call = ann.start(&["call", "ben", "--video"]);
    answer.is("joined").await;
    // The callee hangs up; for two that is the end (R17).
    answer.signal("INT").await;
    let (answer, call) = tokio::join!(answer.end(), call.end());
    assert_eq!((answer.exit, call.exit), (0, 0), "{answer:?} {call:?}");
    assert_eq!(call.last()["calling_state"], "ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_from_a_file_is_seen_on_the_other_side() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let shows = server.path("card.y4m");
    card(&shows);
    let answer = ben.start(&["answer", "--mic", "none", "--speaker", "none", "--camera", text(&shows)]);
    let account = std::fs::read_to_string(ann.profile.join("account.json")).unwrap();
    let account: Account = serde_json::from_str(&account).unwrap();
    let silent = EngineOptions { microphone: Choice::None, speaker: Choice::None, camera: Choice::None };
    let engine = Engine::start(silent).unwrap();
    let client = Client::start(account, Some(engine.clone())).unwrap();
    let cid = client.ring(vec!["ben".parse().unwrap()], Toggle::Off).await.unwrap();
    let mut states = client.state();
    let picture = |state: &call_client::ClientState| {
        let call = state.calls.iter().find(|call| call.cid == cid)?;
        assert_ne!(call.state.calling_state, CallingState::Left);
        let others = call.joined.as_ref()?.participants.iter();
        others.filter(|there| !there.is_me).find_map(|there| there.video_track.clone())
    };
    let seen = async {
        let track = loop {
            if let Some(track) = picture(&states.borrow_and_update()) {
                break track;
            }
            states.changed().await.unwrap();
        };
        let mut frames = engine.video().subscribe(&track);
        let mut decoder = Vp8Decoder::new().unwrap();
        let mut lumas = Vec::new();
        while !(lumas.iter().any(|luma| *luma < 110) && lumas.iter().any(|luma| *luma > 140)) {
            let frame = frames.next().await.unwrap();
            if let Some(picture) = decoder.decode(&frame.data).unwrap() {
                assert_eq!((picture.width(), picture.height()), (640, 360), "scaled to what is sent");
                lumas.push(picture.planes()[0][640 * 180 + 320]);
            }
        }
    };
    timeout(Duration::from_secs(15), seen).await.expect("both pictures of the file are seen");
    client.shutdown().await;
    assert_eq!(answer.end().await.exit, 0);
}
