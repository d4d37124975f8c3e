//! Whether a call is open, as screens are told.

use super::*;
use crate::state::OpeningView;

/// A call with a backstage, as Ben's device shows it.
fn opening(change: impl FnOnce(&mut wire::Call)) -> OpeningView {
    let mut ben = Device::of("ben", "ben1");
    let mut state = state(1, None, Some(&["ann1"]));
    change(Arc::make_mut(&mut state.call));
    ben.hears(state);
    ben.calls.view(ben.now()).calls.remove(0).opening
}

#[test]
fn a_backstage_is_closed_until_its_host_goes_live_or_its_time_comes() {
    assert_eq!(opening(|_| {}), OpeningView::Open, "no backstage");
    assert_eq!(
        opening(|call| call.settings.backstage.enabled = true),
        OpeningView::Backstage { opens_at: None },
        "only its host opens it"
    );
    let live = opening(|call| {
        call.settings.backstage.enabled = true;
        call.is_live = true;
    });
    assert_eq!(live, OpeningView::Live);
    let planned = |in_ms: i64| {
        opening(|call| {
            call.settings.backstage.enabled = true;
            call.settings.backstage.join_ahead_ms = 60_000;
            call.starts_at = Some(UnixMillis(WALL + in_ms));
        })
    };
    assert_eq!(planned(300_000), OpeningView::Backstage { opens_at: Some(UnixMillis(WALL + 240_000)) });
    assert_eq!(planned(30_000), OpeningView::Open, "its time has come");
    let closed_again = opening(|call| {
        call.settings.backstage.enabled = true;
        call.starts_at = Some(UnixMillis(WALL - 30_000));
        call.is_closed = true;
    });
    assert_eq!(closed_again, OpeningView::Backstage { opens_at: None }, "its time does not open it any more");
}
