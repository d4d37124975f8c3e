//! The little that has to be read from an offer besides what str0m reads: which track each m-line carries.

/// One m-line of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfferedMedia {
    pub(crate) mid: String,
    /// The sender's id of the track (`a=msid:stream track`).
    pub(crate) track: Option<String>,
}

/// The m-lines for sound and picture, in order. Lines that make no sense are passed over.
pub(crate) fn offered_media(sdp: &str) -> Vec<OfferedMedia> {
    let mut media: Vec<OfferedMedia> = Vec::new();
    let mut is_media = false;
    for line in sdp.lines().map(str::trim_end) {
        if let Some(kind) = line.strip_prefix("m=") {
            is_media = kind.starts_with("audio") || kind.starts_with("video");
            if is_media {
                media.push(OfferedMedia { mid: String::new(), track: None });
            }
            continue;
        }
        let Some(last) = media.last_mut().filter(|_| is_media) else { continue };
        if let Some(mid) = line.strip_prefix("a=mid:") {
            mid.clone_into(&mut last.mid);
        } else if let Some(msid) = line.strip_prefix("a=msid:") {
            last.track = msid.split_whitespace().nth(1).map(str::to_owned);
        } else if last.track.is_none()
            && let Some((_, msid)) = line.strip_prefix("a=ssrc:").and_then(|line| line.split_once(" msid:"))
        {
            last.track = msid.split_whitespace().nth(1).map(str::to_owned);
        }
    }
    media.retain(|media| !media.mid.is_empty());
    media
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_are_found_by_either_form_of_msid() {
        let sdp = "v=0\r\nm=application 9 x\r\na=mid:0\r\nm=audio 9 x\r\na=mid:1\r\na=msid:s mic-1\r\n\
                   m=video 9 x\r\na=mid:2\r\na=ssrc:5 msid:s cam-1\r\nm=video 9 x\r\na=mid:3\r\n";
        let found = offered_media(sdp);
        let found: Vec<_> = found.iter().map(|media| (media.mid.as_str(), media.track.as_deref())).collect();
        assert_eq!(found, [("1", Some("mic-1")), ("2", Some("cam-1")), ("3", None)]);
    }
}
