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
    /// The caller comes in at every event that says "answered", wanted or not (S9).
    JoinsAgain,
    /// Older states are taken for news (calls.md, section 4).
    TakesOlderStates,
    /// A dismissed ring alerts again (R6).
    DismissedAlertsAgain,
    /// A deadline the server is silent about rings on (R9, R19).
    RingsForEver,
    /// A lost leave is not tried again.
    LeavesOnce,
    /// A join that finds the server away is given up at once.
    JoinsOnce,
    /// What another device answered rings on here (R2).
    IgnoresOtherDevices,
    /// Let in after hanging up, it comes in (microphone on).
    ComesInAfterHangingUp,
    /// A caller whose ring is over for everybody rings on (S10).
    RingsOutAfterAll,
    /// Whoever asked to come in is never answered.
    NeverReplies,
    /// It alerts although nobody may disturb (R14).
    SilentNotSilent,
    /// Hung up on the way in, it says nothing, also when it is let in: the server has it in the call.
    GhostStays,
}
