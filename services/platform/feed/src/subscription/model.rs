//! What a subscription is and who may touch it.
use crate::scope::Asked;
use eduhub_auth::{Caller, Role};
use eduhub_changelog::{Ahead, Position, ahead_of};
use eduhub_faults::{Fault, Reason};
use time::OffsetDateTime;

/// Subscriptions of one principal at most.
pub(crate) const LIMIT: i64 = 20;
/// Longest name.
const LONGEST: usize = 63;

/// A stored subscription.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub owner: String,
    pub name: String,
    pub asked: Asked,
    /// Empty before the first acknowledgement.
    pub cursor: Vec<u8>,
    /// What the log is still needed after; [`Position::START`] without a cursor.
    pub position: Position,
    pub created_at: OffsetDateTime,
    pub acknowledged_at: Option<OffsetDateTime>,
}

impl Stored {
    /// True when a cursor covers all that the stored one covers.
    pub fn is_passed_by(&self, position: Position, ahead: &Ahead) -> bool {
        position > self.position || (position == self.position && ahead.includes(&ahead_of(&self.cursor)))
    }
}

/// How far behind a subscription is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lag {
    /// Entries that it lacks, counted up to a limit.
    pub entries: i64,
    /// Age of the oldest of them in milliseconds.
    pub behind_ms: i64,
    /// The log was pruned past it.
    pub expired: bool,
}

/// A subscription that a caller may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub owner: String,
    pub name: String,
}

impl Named {
    /// One of the caller's own.
    pub fn own(caller: &Caller, name: &str) -> Self {
        Self { owner: caller.sub.clone(), name: name.to_owned() }
    }

    /// The caller's own for an empty owner; another's is for the Department, and to everybody else it does not exist.
    ///
    /// # Errors
    /// NOT_FOUND/NOT_FOUND.
    pub fn of(caller: &Caller, owner: &str, name: &str) -> Result<Self, Fault> {
        if owner.is_empty() || owner == caller.sub {
            return Ok(Self::own(caller, name));
        }
        if !caller.has_role(Role::DepartmentAdmin) {
            return Err(Fault::new(Reason::NotFound));
        }
        Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// Checks the form of a new name.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST on `name`.
    pub fn well_formed(&self) -> Result<(), Fault> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if (1..=LONGEST).contains(&self.name.len()) && self.name.bytes().all(plain) {
            return Ok(());
        }
        Err(Fault::invalid("name", "1 to 63 characters: small letters, digits, - and _"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_auth::testing::Persona;

    #[test]
    fn names_are_plain_and_others_do_not_exist() {
        let (consumer, admin) = (Persona::consumer().caller(), Persona::admin().caller());
        for (name, good) in
            [("ioc-1", true), ("", false), ("IOC", false), ("a b", false), (&"x".repeat(64), false)]
        {
            assert_eq!(Named::own(&consumer, name).well_formed().is_ok(), good, "{name}");
        }
        assert_eq!(Named::of(&consumer, "", "a").unwrap(), Named::own(&consumer, "a"));
        assert_eq!(Named::of(&consumer, "another", "a").unwrap_err().reason(), Reason::NotFound);
        assert_eq!(Named::of(&admin, "another", "a").unwrap().owner, "another");
    }
}
