//! Bugs to plant, so that the simulator can prove that it would find them. Only with the feature `simulation`.

/// The enum, and the list of all of it.
macro_rules! bugs {
    ($($(#[$what:meta])+ $bug:ident,)+) => {
        /// A rule, broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Planted {
            $($(#[$what])+ $bug,)+
        }

        impl Planted {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$bug,)+];
        }
    };
}

bugs! {
    /// A second device may accept what the first has accepted (R2).
    AcceptTwice,
    /// A reject after the accept changes the outcome.
    LateRejectCounts,
    /// Deadlines pass unnoticed (R8).
    NoDeadline,
    /// A cancel is told to everybody and not stored (R18).
    CancelNotStored,
    /// Everybody hears of a decision before it is stored (R18).
    AnnouncedBeforeStored,
    /// Only the device that acted hears of it (R2).
    OthersNotTold,
    /// A snapshot leaves live rings out (R9).
    SnapshotWithoutRings,
    /// A caller's cancel that crosses the accept changes nothing (R17).
    CrossedCancelLost,
    /// What the store lost stays decided.
    FailureNotTakenBack,
    /// A caller who vanished goes on ringing (R11).
    VanishedCallerRings,
    /// The session goes on when one of two leaves (R17).
    AloneGoesOn,
}
