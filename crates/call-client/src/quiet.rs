//! Whether this device keeps quiet now, and what the server is told of that.

use chrono::{Datelike as _, Timelike as _};
use wire::{DoNotDisturb, Standing, UnixMillis, Weekday};

use crate::calls::Toggle;

/// A moment as the person's own clock on the wall shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalTime {
    pub(crate) now: UnixMillis,
    pub(crate) day: Weekday,
    /// Minute of the day.
    pub(crate) minute: u16,
}

impl LocalTime {
    /// The moment in the machine's own time zone.
    pub(crate) fn of(now: UnixMillis) -> Self {
        let utc = chrono::DateTime::from_timestamp_millis(now.0).unwrap_or_default();
        let local = utc.with_timezone(&chrono::Local);
        let day = Weekday::ALL[local.weekday().num_days_from_monday() as usize % 7];
        let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0);
        Self { now, day, minute }
    }
}

/// This device's own wishes, and what the server knows of them.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    device: DoNotDisturb,
    is_away: bool,
    told: Option<Standing>,
}

impl Quiet {
    pub(crate) fn set_device(&mut self, wish: DoNotDisturb) {
        self.device = wish;
    }

    pub(crate) fn set_away(&mut self, to: Toggle) {
        self.is_away = to == Toggle::On;
    }

    /// A new connection: the server knows nothing of this device.
    pub(crate) fn forget_told(&mut self) {
        self.told = None;
    }

    /// Whether no call alerts here, by the person's wish for all devices or by the one for this device.
    pub(crate) fn holds(&self, person: &DoNotDisturb, at: LocalTime) -> Toggle {
        let holds = |wish: &DoNotDisturb| wish.holds(at.now, at.day, at.minute);
        (holds(person) || holds(&self.device)).into()
    }

    /// What the server has to be told now.
    pub(crate) fn news(&mut self, is_quiet: Toggle) -> Option<Standing> {
        let standing = match (is_quiet, self.is_away) {
            (Toggle::On, _) => Standing::DoNotDisturb,
            (Toggle::Off, true) => Standing::Away,
            (Toggle::Off, false) => Standing::Here,
        };
        // The server takes whoever connects to be there.
        let is_news = self.told.unwrap_or_default() != standing;
        self.told = Some(standing);
        is_news.then_some(standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: Weekday, minute: u16) -> LocalTime {
        LocalTime { now: UnixMillis(1_000), day, minute }
    }

    #[test]
    fn r14_either_wish_keeps_the_device_quiet() {
        let (mut quiet, never) = (Quiet::default(), DoNotDisturb::default());
        assert_eq!(quiet.holds(&never, at(Weekday::Monday, 0)), Toggle::Off);
        let by_hand = DoNotDisturb { is_on: true, ..DoNotDisturb::default() };
        assert_eq!(quiet.holds(&by_hand, at(Weekday::Monday, 0)), Toggle::On);
        let days = [Weekday::Monday].into();
        let hours = wire::QuietHours { days, from: 60, to: 120 };
        quiet.set_device(DoNotDisturb { hours: vec![hours], ..DoNotDisturb::default() });
        assert_eq!(quiet.holds(&never, at(Weekday::Monday, 90)), Toggle::On);
        assert_eq!(quiet.holds(&never, at(Weekday::Monday, 120)), Toggle::Off);
    }

    #[test]
    fn the_server_is_told_what_changed_and_all_again_after_a_reconnect() {
        let mut quiet = Quiet::default();
        assert_eq!(quiet.news(Toggle::Off), None);
        assert_eq!(quiet.news(Toggle::On), Some(Standing::DoNotDisturb));
        assert_eq!(quiet.news(Toggle::On), None);
        quiet.forget_told();
        assert_eq!(quiet.news(Toggle::On), Some(Standing::DoNotDisturb));
        quiet.set_away(Toggle::On);
        assert_eq!(quiet.news(Toggle::Off), Some(Standing::Away));
        assert_eq!(quiet.news(Toggle::On), Some(Standing::DoNotDisturb));
    }
}
