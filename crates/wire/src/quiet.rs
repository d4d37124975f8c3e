//! When a person does not want to be disturbed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::UnixMillis;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
#[expect(missing_docs, reason = "the names of the days say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// All, from Monday on.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    fn before(self) -> Self {
        Self::ALL[(self as usize + 6) % 7]
    }
}

/// Hours that come every week, in the local time of each device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct QuietHours {
    /// On which days they begin.
    pub days: BTreeSet<Weekday>,
    /// Minute of the day at which they begin, 0 to 1439.
    pub from: u16,
    /// Minute of the day at which they end, 0 to 1439; on the next day when it is not after `from`.
    pub to: u16,
}

impl QuietHours {
    fn holds(&self, day: Weekday, minute: u16) -> bool {
        if self.from < self.to {
            self.days.contains(&day) && (self.from..self.to).contains(&minute)
        } else {
            let began_today = self.days.contains(&day) && minute >= self.from;
            let began_yesterday = self.days.contains(&day.before()) && minute < self.to;
            began_today || began_yesterday
        }
    }
}

/// When a person, or one device, makes no sound and shows no ring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct DoNotDisturb {
    /// Switched on by hand.
    #[serde(default)]
    pub is_on: bool,
    /// When that ends by itself; absent: when it is switched off.
    #[serde(default)]
    pub until: Option<UnixMillis>,
    /// Hours of every week.
    #[serde(default)]
    pub hours: Vec<QuietHours>,
}

impl DoNotDisturb {
    /// Most weekly hours of one person.
    pub const MOST_HOURS: usize = 20;

    /// Whether it holds: `now` for what was switched on by hand, the local day and minute of the day for the hours.
    #[must_use]
    pub fn holds(&self, now: UnixMillis, day: Weekday, minute: u16) -> bool {
        self.holds_by_hand(now) || self.hours.iter().any(|hours| hours.holds(day, minute))
    }

    /// Whether what was switched on by hand holds.
    #[must_use]
    pub fn holds_by_hand(&self, now: UnixMillis) -> bool {
        self.is_on && self.until.is_none_or(|until| now < until)
    }

    /// The name of the field that breaks a rule, and the rule.
    #[must_use]
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.hours.len() > Self::MOST_HOURS {
            return Some(("hours", "there can be 20 quiet hours at most"));
        }
        let is_wrong = |hours: &QuietHours| hours.from >= DAY || hours.to >= DAY || hours.days.is_empty();
        let wrong = "quiet hours need a day, and minutes of the day from 0 to 1439";
        self.hours.iter().any(is_wrong).then_some(("hours", wrong))
    }
}

/// What a person finds who wants to reach a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Somebody uses it.
    #[default]
    Here,
    /// Nobody has used it for a while.
    Away,
    /// It makes no sound and shows no ring.
    DoNotDisturb,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_nights_go_over_midnight() {
        let nights = DoNotDisturb {
            hours: vec![QuietHours { days: [Weekday::Friday].into(), from: 22 * 60, to: 7 * 60 }],
            ..DoNotDisturb::default()
        };
        let holds = |day, minute| nights.holds(UnixMillis(0), day, minute);
        assert!(holds(Weekday::Friday, 22 * 60) && holds(Weekday::Saturday, 6 * 60 + 59));
        assert!(!holds(Weekday::Saturday, 7 * 60) && !holds(Weekday::Saturday, 23 * 60) && !holds(Weekday::Friday, 60));
    }

    #[test]
    fn r14_by_hand_ends_by_itself() {
        let hour = DoNotDisturb { is_on: true, until: Some(UnixMillis(3_600_000)), hours: Vec::new() };
        assert!(hour.holds_by_hand(UnixMillis(3_599_999)) && !hour.holds_by_hand(UnixMillis(3_600_000)));
    }

    #[test]
    fn hours_outside_a_day_are_refused() {
        let hours = |from, to, days: &[Weekday]| DoNotDisturb {
            hours: vec![QuietHours { days: days.iter().copied().collect(), from, to }],
            ..DoNotDisturb::default()
        };
        assert!(hours(0, 1439, &Weekday::ALL).problem().is_none());
        assert!(hours(1440, 0, &Weekday::ALL).problem().is_some() && hours(0, 60, &[]).problem().is_some());
    }
}
