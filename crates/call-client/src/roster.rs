//! Who is in the session by the media server's account, newest version of each.

use livekit_protocol::{JoinResponse, ParticipantInfo, TrackInfo, TrackSource, participant_info};

use crate::{calls::Toggle, state::ParticipantView};

/// The track key of the own camera.
pub(crate) const OWN_PICTURE: &str = "local";

#[derive(Debug)]
pub(crate) struct Roster {
    me: ParticipantInfo,
    others: Vec<ParticipantInfo>,
}

impl Roster {
    pub(crate) fn new(join: &JoinResponse) -> Self {
        let mut roster = Self { me: join.participant.clone().unwrap_or_default(), others: Vec::new() };
        roster.update(join.other_participants.clone());
        roster
    }

    /// Takes an update.
    pub(crate) fn update(&mut self, participants: Vec<ParticipantInfo>) {
        for participant in participants {
            if participant.sid == self.me.sid {
                self.me = participant;
                continue;
            }
            let known = self.others.iter().position(|other| other.sid == participant.sid);
            let is_gone = participant.state() == participant_info::State::Disconnected;
            match known {
                Some(index) if is_gone => _ = self.others.remove(index),
                Some(index) if participant.version >= self.others[index].version => self.others[index] = participant,
                None if !is_gone => self.others.push(participant),
                Some(_) | None => {}
            }
        }
    }

    /// Me first, then the others in the order they came.
    pub(crate) fn view(&self, microphone: Toggle, camera: Toggle) -> Vec<ParticipantView> {
        let me = ParticipantView {
            identity: self.me.identity.clone(),
            name: self.me.name.clone(),
            is_me: true,
            microphone_on: microphone == Toggle::On,
            camera_on: camera == Toggle::On,
            audio_track: None,
            video_track: Some(OWN_PICTURE.to_owned()),
        };
        let mut others: Vec<&ParticipantInfo> = self.others.iter().collect();
        others.sort_by_key(|participant| (participant.joined_at_ms, participant.joined_at));
        std::iter::once(me).chain(others.into_iter().map(view)).collect()
    }
}

fn view(participant: &ParticipantInfo) -> ParticipantView {
    let track = |source: TrackSource| participant.tracks.iter().find(|track| track.source() == source);
    let (microphone, camera) = (track(TrackSource::Microphone), track(TrackSource::Camera));
    let is_on = |track: Option<&TrackInfo>| track.is_some_and(|track| !track.muted);
    let name = if participant.name.is_empty() { &participant.identity } else { &participant.name };
    ParticipantView {
        identity: participant.identity.clone(),
        name: name.clone(),
        is_me: false,
        microphone_on: is_on(microphone),
        camera_on: is_on(camera),
        audio_track: microphone.map(|track| track.sid.clone()),
        video_track: camera.map(|track| track.sid.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn participant(sid: &str, version: u32, state: participant_info::State) -> ParticipantInfo {
        ParticipantInfo {
            sid: sid.to_owned(),
            identity: format!("{sid}/device"),
            version,
            state: state as i32,
            ..ParticipantInfo::default()
        }
    }

    #[test]
    fn an_older_version_never_replaces_a_newer_one_and_who_left_is_gone() {
        use participant_info::State::{Active, Disconnected, Joined};
        let mut roster = Roster::new(&JoinResponse::default());
        roster.update(vec![participant("PA_b", 2, Active)]);
        roster.update(vec![participant("PA_b", 1, Joined)]);
        assert_eq!(roster.others[0].version, 2);
        assert_eq!(roster.view(Toggle::On, Toggle::Off).len(), 2);
        roster.update(vec![participant("PA_b", 3, Disconnected)]);
        assert_eq!(roster.view(Toggle::On, Toggle::Off).len(), 1);
    }
}
