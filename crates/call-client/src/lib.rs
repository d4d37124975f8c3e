//! The SDK: sign in, ring, answer, join, watch.

mod state;

pub use state::{
    CallStateView, CallView, CallingState, ClientState, Connection, DeviceView, EndReason, HistoryView, JoinedView,
    ParticipantView, RingView, TargetView,
};
