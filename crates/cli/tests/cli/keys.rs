//! Keys of other programs: made, listed and revoked by an admin.

use crate::person::{Outcome, Server};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_makes_and_revokes_keys_and_nobody_else_does() {
    let server = Server::start().await;
    let (ann, ben) = server.ann_and_ben().await;
    let make = ["keys", "--make", "Shop", "--scope", "ring", "--scope", "calls-read", "--expires", "30d"];
    let made = ann.run(&make).await;
    assert_eq!((made.exit, &made.lines[0]["user"]), (0, &"shop".into()), "{made:?}");
    assert!(made.lines[0]["token"].as_str().is_some_and(|token| token.starts_with("bbk_")), "{made:?}");
    let refused = ben.run(&make).await;
    assert_eq!((refused.exit, refused.code()), (7, "permission-denied"), "{refused:?}");
    let wrong = ann.run(&["keys", "--make", "Shop", "--scope", "everything"]).await;
    assert_eq!(wrong.exit, 2, "{wrong:?}");
    let listed = ann.run(&["keys"]).await;
    assert_eq!(listed.lines[0]["id"], made.lines[0]["id"]);
    assert_eq!((listed.lines.len(), &listed.lines[0]["token"]), (1, &serde_json::Value::Null));
    let ids = |outcome: &Outcome| outcome.lines.iter().map(|line| line["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&ann.run(&["people"]).await), ["ben"], "a program is nobody to call");
    let all = ann.run(&["people", "--programs"]).await;
    assert_eq!(ids(&all), ["ben", "shop"]);
    assert_eq!((&all.lines[0]["is_program"], &all.lines[1]["is_program"]), (&false.into(), &true.into()));
    let id = made.lines[0]["id"].as_str().unwrap();
    assert_eq!(ann.run(&["keys", "--revoke", id]).await.exit, 0);
    assert_eq!(ann.run(&["keys"]).await.lines.len(), 0);
}
