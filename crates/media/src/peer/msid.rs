//! Which track each m-line of the server's offer carries: `a=msid:PA_x|camera TR_y`.

use super::TrackKind;

/// A track that the server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(super) mid: String,
    pub(super) kind: TrackKind,
    pub(super) participant_sid: String,
    pub(super) track_sid: String,
}

/// The tracks that are sent, in the order of the offer; what makes no sense is passed over.
pub(crate) fn offered_tracks(sdp: &str) -> Vec<Offered> {
    let mut tracks = Vec::new();
    let mut media: Option<Media<'_>> = None;
    for line in sdp.lines().map(str::trim_end) {
        if let Some(description) = line.strip_prefix("m=") {
            tracks.extend(media.take().and_then(Media::track));
            media = Media::begin(description);
            continue;
        }
        let Some(media) = media.as_mut() else { continue };
        if let Some(mid) = line.strip_prefix("a=mid:") {
            media.mid = mid;
        } else if let Some(msid) = line.strip_prefix("a=msid:") {
            media.msid = msid;
        } else if line == "a=inactive" || line == "a=recvonly" {
            media.is_sent = false;
        }
    }
    tracks.extend(media.and_then(Media::track));
    tracks
}

struct Media<'a> {
    kind: TrackKind,
    mid: &'a str,
    msid: &'a str,
    is_sent: bool,
}

impl<'a> Media<'a> {
    fn begin(description: &'a str) -> Option<Self> {
        let mut words = description.split_whitespace();
        let kind = match words.next()? {
            "audio" => TrackKind::Audio,
            "video" => TrackKind::Video,
            _ => return None,
        };
        // Port 0: the m-line is stopped.
        Some(Self { kind, mid: "", msid: "", is_sent: words.next()? != "0" })
    }

    fn track(self) -> Option<Offered> {
        let (stream, track) = self.msid.split_once(' ')?;
        let (participant, _) = stream.split_once('|')?;
        (self.is_sent && !self.mid.is_empty() && track.starts_with("TR")).then(|| Offered {
            mid: self.mid.to_owned(),
            kind: self.kind,
            participant_sid: participant.to_owned(),
            track_sid: track.trim().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sent_tracks_with_a_name_count() {
        let sdp = "v=0\r\nm=application 9 x\r\na=mid:0\r\n\
                   m=audio 9 x 111\r\na=mid:1\r\na=sendonly\r\na=msid:PA_a|camera TR_AMx\r\n\
                   m=video 9 x 96\r\na=mid:2\r\na=inactive\r\na=msid:PA_a|camera TR_VCx\r\n\
                   m=video 0 x 96\r\na=mid:3\r\na=sendonly\r\na=msid:PA_b|camera TR_VCy\r\n\
                   m=video 9 x 96\r\na=mid:4\r\na=sendonly\r\na=msid:- junk\r\n\
                   m=video 9 x 96\r\na=mid:5\r\na=sendonly\r\na=msid:PA_b|camera TR_VCz\r\n";
        let tracks = offered_tracks(sdp);
        let found: Vec<_> = tracks.iter().map(|track| (track.mid.as_str(), track.track_sid.as_str())).collect();
        assert_eq!(found, [("1", "TR_AMx"), ("5", "TR_VCz")]);
        assert_eq!((tracks[0].kind, tracks[0].participant_sid.as_str()), (TrackKind::Audio, "PA_a"));
    }

    #[test]
    fn junk_never_panics() {
        for junk in ["", "m=", "m=audio", "m=audio 9\r\na=msid:", "a=mid:1", "m=video 9 x\r\na=msid:a|b\r\na=mid:"] {
            assert!(offered_tracks(junk).is_empty(), "{junk}");
        }
    }
}
