//! What somebody may do in a call: one name for each thing the server checks at its door.

use serde::{Deserialize, Serialize};

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// A thing that somebody may or may not do in a call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "kebab-case")]
        #[cfg_attr(feature = "bindings", derive(specta::Type))]
        pub enum Capability {
            $($(#[$doc])* $name,)*
        }

        impl Capability {
            /// Every capability there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name as it travels.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

capabilities! {
    /// Make a call of the type.
    CreateCall => "create-call",
    /// Know that the call exists, and what is in it.
    ReadCall => "read-call",
    /// Come in.
    JoinCall => "join-call",
    /// Come in before it is open.
    JoinBackstage => "join-backstage",
    /// Come in after it was ended.
    JoinEndedCall => "join-ended-call",
    /// Change custom data and the planned time.
    UpdateCall => "update-call",
    /// Change the call's settings.
    UpdateSettings => "update-settings",
    /// End it for everyone.
    EndCall => "end-call",
    /// Add, change and remove members.
    UpdateMembers => "update-members",
    /// Ring people.
    Ring => "ring",
    /// Send sound.
    SendAudio => "send-audio",
    /// Send the camera's picture.
    SendVideo => "send-video",
    /// Send the screen.
    ShareScreen => "share-screen",
    /// Mute others.
    MuteUsers => "mute-users",
    /// Put somebody out; he may come back.
    RemoveParticipant => "remove-participant",
    /// Put somebody out for good.
    BlockUser => "block-user",
    /// Give and take capabilities.
    UpdatePermissions => "update-permissions",
    /// Show somebody large to everyone.
    PinForEveryone => "pin-for-everyone",
    /// React with a sign.
    SendReaction => "send-reaction",
    /// Send the application's own events.
    SendEvent => "send-event",
    /// Open and close the backstage.
    GoLive => "go-live",
    /// Record.
    Record => "record",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_travels_by_its_name() {
        for capability in Capability::ALL {
            let json = serde_json::to_string(capability).unwrap();
            assert_eq!(json, format!("\"{}\"", capability.as_str()));
            assert_eq!(serde_json::from_str::<Capability>(&json).unwrap(), *capability);
        }
    }
}
