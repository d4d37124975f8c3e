//! Lists of calls: where a page ends, and what fits a filter.

use wire::{Call, CallFilter, CallOrder, UserId};

use super::cursor;

/// A place in the order of a list: the next page begins behind it, whatever came or went meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The time that the list is ordered by.
    pub(crate) at: i64,
    /// Of calls of the same time.
    pub(crate) cid: String,
}

/// A call in its place; a document that cannot be read leaves the place.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) place: Place,
    pub(crate) call: Option<Call>,
}

/// Which lines of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    All,
    /// Missed calls that nobody has looked at.
    Unseen,
}

impl Place {
    /// For the next page of a list in this order.
    pub(crate) fn cursor(&self, order: CallOrder) -> String {
        cursor::written(&(order, self.at, &self.cid))
    }

    /// `None` if the cursor is made up, or of a list in another order.
    pub(crate) fn read(cursor: &str, order: CallOrder) -> Option<Self> {
        let (of, at, cid) = cursor::read::<(CallOrder, i64, String)>(cursor)?;
        (of == order).then_some(Self { at, cid })
    }
}

/// Whether a call has what a filter wants beside a type and a planned time, which the store has columns for.
pub(crate) fn fits(filter: &CallFilter, call: &Call) -> bool {
    let has_member = |user: &UserId| call.members.iter().any(|member| member.user == *user);
    filter.member.as_ref().is_none_or(has_member)
        && filter.team.as_ref().is_none_or(|team| call.team.as_ref() == Some(team))
        && filter.has_session.is_none_or(|wanted| call.session.is_some() == wanted)
        && filter.custom.iter().all(|(name, wanted)| call.custom.get(name).is_some_and(|known| is_same(known, wanted)))
}

/// Whether two values are the same for whoever wrote them: 1 is 1.0, and neither is `true` or "1".
fn is_same(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    match (one, other) {
        (Number(one), Number(other)) => {
            one == other || (one.is_f64() != other.is_f64() && one.as_f64() == other.as_f64())
        }
        (Array(one), Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Object(one), Object(other)) => {
            let has = |(name, value)| other.get(name).is_some_and(|known| is_same(value, known));
            one.len() == other.len() && one.iter().all(has)
        }
        (Null | Bool(_) | Number(_) | String(_) | Array(_) | Object(_), _) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_the_same_by_type_and_numbers_by_what_they_are_worth() {
        for (one, other) in [
            (json!(1), json!(1.0)),
            (json!({ "a": [1, null], "b": "x" }), json!({ "b": "x", "a": [1.0, null] })),
            (json!(null), json!(null)),
        ] {
            assert!(is_same(&one, &other), "{one} {other}");
        }
        for (one, other) in [
            (json!(1), json!(true)),
            (json!(0), json!(false)),
            (json!(1), json!("1")),
            (json!(null), json!(false)),
            (json!(null), json!("")),
            (json!([1]), json!([1, 1])),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64)),
        ] {
            assert!(!is_same(&one, &other), "{one} {other}");
        }
    }

    #[test]
    fn a_cursor_is_of_one_order_alone() {
        let place = Place { at: -5, cid: "default:x".to_owned() };
        let cursor = place.cursor(CallOrder::Oldest);
        assert_eq!(Place::read(&cursor, CallOrder::Oldest), Some(place));
        assert_eq!(Place::read(&cursor, CallOrder::Newest), None);
        for made_up in ["", "x", "AAAAAAAAAAA", "bnVsbA"] {
            assert_eq!(Place::read(made_up, CallOrder::Newest), None, "{made_up}");
        }
    }
}
