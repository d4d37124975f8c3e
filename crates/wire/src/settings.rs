//! Settings of a call: those of its type, overridden for one call alone.

use serde::{Deserialize, Serialize};

/// Settings of a call: the type's, overridden for one call. A group that is as usual (as in a call of the type `default`)
/// is left out: they travel with every event of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Settings {
    /// Sound.
    #[serde(skip_serializing_if = "is_usual")]
    pub audio: AudioSettings,
    /// Picture.
    #[serde(skip_serializing_if = "is_usual")]
    pub video: VideoSettings,
    /// Screen sharing.
    #[serde(skip_serializing_if = "is_usual")]
    pub screen_share: ScreenShareSettings,
    /// Ringing.
    #[serde(skip_serializing_if = "is_usual")]
    pub ring: RingSettings,
    /// Who comes in before it is open.
    #[serde(skip_serializing_if = "is_usual")]
    pub backstage: BackstageSettings,
    /// How many, and how long.
    #[serde(skip_serializing_if = "is_usual")]
    pub limits: LimitSettings,
    /// The life of a session.
    #[serde(skip_serializing_if = "is_usual")]
    pub session: SessionSettings,
}

fn is_usual<T: Default + PartialEq>(group: &T) -> bool {
    *group == T::default()
}

/// On, off, or as the device thinks best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// As the device thinks best.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Sound settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AudioSettings {
    /// Microphone on at join.
    pub mic_default_on: bool,
    /// Speaker on at join.
    pub speaker_default_on: bool,
    /// Noise suppression.
    pub noise_suppression: Switch,
    /// Echo cancelling.
    pub echo_cancellation: bool,
    /// Automatic gain control.
    pub auto_gain_control: bool,
}

impl Default for AudioSettings {
    fn default() -> Self {
        Self {
            mic_default_on: true,
            speaker_default_on: true,
            noise_suppression: Switch::Auto,
            echo_cancellation: true,
            auto_gain_control: true,
        }
    }
}

/// Picture settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct VideoSettings {
    /// Video allowed at all.
    pub enabled: bool,
    /// Camera on at join.
    pub camera_default_on: bool,
    /// Most pixels across.
    pub max_width: u16,
    /// Most pixels down.
    pub max_height: u16,
    /// Most pictures a second.
    pub max_fps: u8,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self { enabled: true, camera_default_on: true, max_width: 1280, max_height: 720, max_fps: 30 }
    }
}

/// Screen sharing settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ScreenShareSettings {
    /// Allowed at all.
    pub enabled: bool,
}

impl Default for ScreenShareSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Ring settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RingSettings {
    /// How long a ring lasts, 5,000 to 180,000 milliseconds.
    pub timeout_ms: u32,
    /// When one of two leaves, the session ends for the other. `None`: for calls rung with two members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_when_alone: Option<bool>,
}

impl Default for RingSettings {
    fn default() -> Self {
        Self { timeout_ms: 45_000, end_when_alone: None }
    }
}

/// Backstage settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BackstageSettings {
    /// Only who may come in backstage is let in before it goes live.
    pub enabled: bool,
    /// How long before `starts_at` everybody is let in, in milliseconds.
    pub join_ahead_ms: u32,
}

/// Limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct LimitSettings {
    /// Most participants at once; no limit if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_participants: Option<u32>,
    /// How long a session may last, in milliseconds; no limit if absent. At its end the call ends for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration_ms: Option<u32>,
}

/// Session settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SessionSettings {
    /// How long an empty session lasts, in milliseconds.
    pub inactivity_timeout_ms: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { inactivity_timeout_ms: 30_000 }
    }
}

impl Settings {
    /// These settings with some of them replaced: a JSON object of the same shape, with only what differs.
    ///
    /// # Errors
    /// The path of the first value that breaks its rule (empty for the whole), and the rule.
    pub fn overridden(&self, patch: &serde_json::Value) -> Result<Self, (String, String)> {
        if let Some(path) = no_object_in(patch) {
            return Err((path, "an object of settings by their names".to_owned()));
        }
        let mut whole = serde_json::to_value(self).map_err(|error| (String::new(), error.to_string()))?;
        merge(&mut whole, patch);
        let settings: Self = serde_path_to_error::deserialize(&whole)
            .map_err(|error| (error.path().to_string(), error.inner().to_string()))?;
        settings.check().map_err(|(path, rule)| (path.to_owned(), rule.to_owned()))?;
        Ok(settings)
    }

    /// The path of the first name in a valid override that no setting has.
    #[must_use]
    pub fn unknown_in(patch: &serde_json::Value) -> Option<String> {
        let (mut whole, mut unknown) = (serde_json::json!({}), None);
        merge(&mut whole, patch);
        let note = |path: serde_ignored::Path<'_>| _ = unknown.get_or_insert_with(|| path.to_string());
        _ = serde_ignored::deserialize::<_, _, Self>(&whole, note);
        unknown
    }

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let is_duration = |ms: u32| (60_000..=7 * 24 * 3_600_000).contains(&ms);
        let rules = [
            ((5_000..=180_000).contains(&self.ring.timeout_ms), "ring.timeout_ms", "5,000 to 180,000 milliseconds"),
            ((160..=3840).contains(&self.video.max_width), "video.max_width", "160 to 3,840 pixels"),
            ((90..=2160).contains(&self.video.max_height), "video.max_height", "90 to 2,160 pixels"),
            ((1..=60).contains(&self.video.max_fps), "video.max_fps", "1 to 60 pictures a second"),
            (self.backstage.join_ahead_ms <= 86_400_000, "backstage.join_ahead_ms", "a day at most"),
            (
                self.limits.max_participants.is_none_or(|most| (1..=10_000).contains(&most)),
                "limits.max_participants",
                "1 to 10,000",
            ),
            (self.limits.max_duration_ms.is_none_or(is_duration), "limits.max_duration_ms", "a minute to seven days"),
            (self.session.inactivity_timeout_ms <= 3_600_000, "session.inactivity_timeout_ms", "an hour at most"),
        ];
        rules.into_iter().find(|(holds, ..)| !holds).map_or(Ok(()), |(_, path, rule)| Err((path, rule)))
    }
}

/// Where a patch has a list, or is no object at all. No setting is a list, and serde reads an object from one of its fields
/// in order, too.
fn no_object_in(patch: &serde_json::Value) -> Option<String> {
    let Some(fields) = patch.as_object() else { return Some(String::new()) };
    fields.iter().find_map(|(name, value)| match value {
        serde_json::Value::Array(_) => Some(name.clone()),
        serde_json::Value::Object(_) => no_object_in(value).map(|path| format!("{name}.{path}")),
        _ => None,
    })
}

/// RFC 7396: objects are merged, `null` removes, everything else replaces.
fn merge(whole: &mut serde_json::Value, patch: &serde_json::Value) {
    let Some(patch) = patch.as_object() else {
        whole.clone_from(patch);
        return;
    };
    if !whole.is_object() {
        *whole = serde_json::Value::Object(serde_json::Map::new());
    }
    let Some(fields) = whole.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name).or_insert(serde_json::Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_override_changes_what_it_names_and_nothing_else() {
        let settings = Settings::default().overridden(&json!({"ring": {"timeout_ms": 20_000}, "unknown": 1})).unwrap();
        assert_eq!(settings.ring.timeout_ms, 20_000);
        assert_eq!(Settings { ring: RingSettings::default(), ..settings }, Settings::default());
    }

    #[test]
    fn what_is_as_usual_does_not_travel_and_is_there_again_afterwards() {
        assert_eq!(serde_json::to_value(Settings::default()).unwrap(), json!({}));
        let settings = Settings::default().overridden(&json!({"ring": {"timeout_ms": 20_000}})).unwrap();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(text, r#"{"ring":{"timeout_ms":20000}}"#);
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
    }

    #[test]
    fn a_name_that_no_setting_has_is_found() {
        let unknown = |patch| Settings::unknown_in(&patch);
        assert_eq!(unknown(json!({"ring": {"timeout_ms": 20_000, "end_when_alone": true}})), None);
        assert_eq!(unknown(json!({"limits": {"max_participants": 2}, "video": null})), None);
        assert_eq!(unknown(json!({"ring": {"timeout": 20_000}})).as_deref(), Some("ring.timeout"));
        assert_eq!(unknown(json!({"rings": {}})).as_deref(), Some("rings"));
    }

    #[test]
    fn a_bad_override_is_refused_whole_with_the_fields_name() {
        let refused = |patch| Settings::default().overridden(&patch).unwrap_err().0;
        assert_eq!(refused(json!({"ring": {"timeout_ms": 1}})), "ring.timeout_ms");
        assert_eq!(refused(json!({"ring": {"timeout_ms": "long"}})), "ring.timeout_ms");
        assert_eq!(refused(json!({"audio": {"noise_suppression": "maybe"}})), "audio.noise_suppression");
        assert_eq!(refused(json!({"video": {"max_width": 70_000}})), "video.max_width");
        assert_eq!(refused(json!({"limits": {"max_participants": 0}})), "limits.max_participants");
        assert_eq!(refused(json!({"video": 7})), "video");
        assert_eq!(refused(json!({"ring": [20_000]})), "ring");
        assert_eq!(refused(json!({"limits": {"max_participants": [2]}})), "limits.max_participants");
        for no_settings in [json!([]), json!([{}]), json!(7), json!("x"), json!(null)] {
            assert_eq!(refused(no_settings), "");
        }
    }
}
