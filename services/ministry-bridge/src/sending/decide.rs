use crate::ministry::Failure;

/// What follows from a failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The same again later. Whether the attempt counts, and whether the batch may have been taken.
    Again { counts: bool, lost: bool },
    /// Two halves.
    Split,
    /// The record stands alone and was refused.
    Reject,
    /// The record stands alone and is given up.
    Dead,
}

/// A batch on which the Ministry choked is halved after so many attempts: one failure may be chance.
const CHOKED: i32 = 2;
/// One whose answer was lost later: while it stays whole the same key finds out what became of it.
const LOST: i32 = 3;

/// `attempts` are those before this one; `rows` stand in the batch.
pub(super) fn decide(failure: &Failure, rows: usize, attempts: i32, max_attempts: i32) -> Next {
    let made = attempts + 1;
    let alone = rows <= 1;
    match failure {
        Failure::Refused { .. } if alone => Next::Reject,
        Failure::Refused { .. } => Next::Split,
        Failure::Choked { .. } if !alone && made >= CHOKED => Next::Split,
        Failure::Lost { .. } if !alone && made >= LOST => Next::Split,
        Failure::Choked { .. } | Failure::Lost { .. } if alone && made >= max_attempts => Next::Dead,
        _ => Next::Again { counts: failure.counts(), lost: matches!(failure, Failure::Lost { .. }) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn choked() -> Failure {
        Failure::Choked { code: "HTTP-500".into() }
    }

    #[test]
    fn an_outage_never_kills_a_record() {
        let away = Failure::Away { code: "HTTP-503".into(), after: None };
        for failure in [away, Failure::Throttled(Duration::from_secs(1))] {
            assert_eq!(decide(&failure, 1, 1_000, 8), Next::Again { counts: false, lost: false });
        }
    }

    #[test]
    fn halves_until_one_is_left_and_gives_up_only_that_one() {
        assert_eq!(decide(&choked(), 100, 0, 8), Next::Again { counts: true, lost: false });
        assert_eq!(decide(&choked(), 100, 1, 8), Next::Split);
        assert_eq!(decide(&choked(), 1, 6, 8), Next::Again { counts: true, lost: false });
        assert_eq!(decide(&choked(), 1, 7, 8), Next::Dead);
    }

    #[test]
    fn a_refused_batch_is_halved_at_once_and_a_refused_record_rejected() {
        let refused = Failure::Refused { code: "BAD".into(), message: String::new() };
        assert_eq!(decide(&refused, 2, 0, 8), Next::Split);
        assert_eq!(decide(&refused, 1, 0, 8), Next::Reject);
    }
}
