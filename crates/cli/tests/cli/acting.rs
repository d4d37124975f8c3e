//! One process acts on the call another one shows.

use crate::person::Server;

const QUIET: [&str; 4] = ["--mic", "none", "--speaker", "none"];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &QUIET].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_takes_one_out_and_end_everybody() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let cem = server.friend(&ann, "cem").await;
    let mut call = ann.start(&with(&["call", "ben", "cem", "--cid", "default:standup"]));
    let mut answers = [ben.start(&with(&["answer"])), cem.start(&with(&["answer", "default:standup"]))];
    call.is("joined").await;
    for answer in &mut answers {
        let joined = answer.is("joined").await;
        assert_eq!((&joined["cid"], &joined["reason"]), (&"default:standup".into(), &"answered".into()));
    }
    let [first, second] = answers;
    // Without naming it: the one this device is in.
    assert_eq!(ben.run(&["leave"]).await.exit, 0);
    let left = first.end().await;
    assert_eq!((left.exit, &left.last()["calling_state"]), (0, &"left".into()), "{left:?}");
    let denied = cem.run(&["end", "default:standup"]).await;
    assert_eq!((denied.exit, denied.code()), (7, "permission-denied"));
    assert_eq!(ann.run(&["end", "default:standup"]).await.exit, 0);
    let (second, call) = tokio::join!(second.end(), call.end());
    assert_eq!((second.exit, call.exit), (0, 0), "{second:?} {call:?}");
    assert_eq!((&second.last()["calling_state"], &call.last()["calling_state"]), (&"ended".into(), &"ended".into()));
    let again = ann.run(&with(&["call", "ben", "--cid", "default:standup"])).await;
    assert_eq!((again.exit, again.code()), (7, "call-ended"), "{again:?}");
    let late = cem.run(&with(&["answer", "default:standup"])).await;
    assert_eq!((late.exit, late.code()), (4, "call-ended"), "nothing will ring there: {late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_crashed_in_a_call_can_be_taken_out() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut call = ann.start(&with(&["call", "ben"]));
    let mut answer = ben.start(&with(&["answer"]));
    call.is("joined").await;
    answer.is("joined").await;
    answer.signal("KILL").await;
    assert_eq!(answer.end().await.exit, -1);
    assert_eq!(ben.run(&["leave"]).await.exit, 0);
    let ended = call.end().await;
    assert_eq!((ended.exit, &ended.last()["calling_state"]), (0, &"ended".into()), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_persons_or_devices_is_not_said_to_be_done() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let second = server.second_device(&ann, "ann-2").await;
    let mut watch = ben.start(&["watch"]);
    let call = ann.start(&with(&["call", "ben", "--cid", "default:x"]));
    watch.is("ringing").await;
    for (device, arguments) in [(&ann, ["reject", "default:x"]), (&second, ["leave", "default:x"])] {
        let refused = device.run(&arguments).await;
        assert_eq!((refused.exit, refused.code()), (7, "conflict"), "{arguments:?} {refused:?}");
    }
    call.signal("INT").await;
    assert_eq!(call.end().await.exit, 6);
    watch.signal("INT").await;
    watch.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_says_done_only_where_a_ring_of_this_person_is_cancelled() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let mut watch = ben.start(&["watch"]);
    let call = ann.start(&with(&["call", "ben", "--cid", "default:x"]));
    watch.is("ringing").await;
    let callee = ben.run(&["cancel", "default:x"]).await;
    assert_eq!((callee.exit, callee.code()), (7, "conflict"), "{callee:?}");
    assert!(callee.told.contains("bellbird reject default:x"), "{}", callee.told);
    for _ in 0..2 {
        assert_eq!(ann.run(&["cancel", "default:x"]).await.exit, 0, "again is no harm");
    }
    assert_eq!(call.end().await.exit, 6);
    let over = ben.run(&["cancel", "default:x"]).await;
    assert_eq!((over.exit, over.code()), (7, "conflict"), "it was not his: {over:?}");
    watch.signal("INT").await;
    watch.end().await;

    let mut call = ann.start(&with(&["call", "ben", "--cid", "default:y"]));
    let mut answer = ben.start(&with(&["answer", "default:y"]));
    call.is("joined").await;
    answer.is("joined").await;
    let answered = ann.run(&["cancel", "default:y"]).await;
    assert_eq!((answered.exit, answered.code()), (7, "conflict"), "{answered:?}");
    assert!(answered.told.contains("bellbird leave default:y"), "{}", answered.told);
    answer.signal("INT").await;
    let (answer, call) = tokio::join!(answer.end(), call.end());
    assert_eq!((answer.exit, call.exit), (0, 0), "{answer:?} {call:?}");
    let nobody = ann.run(&["cancel", "default:z"]).await;
    assert_eq!((nobody.exit, nobody.code()), (7, "call-not-found"), "{nobody:?}");
}
