//! Admission: who pushes, and whether its `open` is sound and announces only what it may push.
use super::inbound::Opening;
use eduhub_auth::Caller;
use eduhub_changelog::{RecordSet, WriteContext};
use eduhub_faults::{Fault, Problem, Reason, warning};
use eduhub_proto::{
    common::v1::{DataDomain, Kind, PushMode, PushOpen},
    dictionary::{Levels, record_of},
};
use uuid::Uuid;

/// Why a kind may not be pushed.
pub(super) enum Denied {
    /// It is none, or something else is wrong.
    Fault(Fault),
    /// The grant does not cover its domain.
    Domain(DataDomain),
}

impl From<Fault> for Denied {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Who pushes, after authorisation.
#[derive(Debug, Clone)]
pub struct Pushing {
    /// Grant of the caller.
    pub grant_id: Option<Uuid>,
    /// Principal.
    pub actor: String,
    /// Numbers of the data domains that the grant covers.
    pub domains: Vec<i32>,
    /// Levels of the school; empty when they are not known, or don't matter.
    pub levels: Levels,
}

impl Pushing {
    /// The caller of a push.
    pub fn of(caller: &Caller) -> Self {
        let domains = caller.domains.iter().map(|domain| *domain as i32).collect();
        Self { grant_id: caller.grant, actor: caller.sub.clone(), domains, levels: Levels::NONE }
    }

    /// The same for a school of these levels.
    #[must_use]
    pub fn at(self, levels: Levels) -> Self {
        Self { levels, ..self }
    }

    /// Requires the data domain of a kind.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/UNKNOWN_KIND; [`Denied::Domain`].
    pub(super) fn require<S: RecordSet>(&self, kind: i32) -> Result<(), Denied> {
        let table = S::table(kind).ok_or_else(|| Fault::new(Reason::UnknownKind).meta("kind", kind))?;
        if self.domains.contains(&table.meta.domain) {
            Ok(())
        } else {
            Err(Denied::Domain(table.meta.domain()))
        }
    }
}

/// A push that was let in.
pub(super) struct Admitted {
    pub who: Pushing,
    pub open: PushOpen,
    pub session_id: Uuid,
    pub mode: PushMode,
    /// What of `open` has no effect.
    pub notices: Vec<Problem>,
}

impl Admitted {
    /// Lets a push in.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST with every violation at once; INVALID_ARGUMENT/UNKNOWN_KIND and
    /// [`Denied::Domain`] for a kind that FULL announces.
    pub fn new<S: RecordSet>(who: Pushing, opening: Opening) -> Result<Self, Denied> {
        let Opening { open, unknown: mut notices } = opening;
        let session_id = check_open(&open)?;
        // FULL withdraws: it needs the domain of every kind it covers, not only of those it happens to send.
        for kind in &open.full_kinds {
            who.require::<S>(*kind)?;
        }
        let mode = PushMode::try_from(open.mode).unwrap_or_default();
        if mode != PushMode::Full && !open.full_kinds.is_empty() {
            notices.push(warning(Reason::OptionIgnored, "open.full_kinds"));
        }
        Ok(Self { who, open, session_id, mode, notices })
    }

    /// In whose name its changes are written.
    pub fn context(&self) -> WriteContext {
        WriteContext {
            school_code: self.open.school_code.clone(),
            grant_id: self.who.grant_id,
            actor: self.who.actor.clone(),
            session_id: Some(self.session_id),
        }
    }
}

/// Checks the shape of `open` and gives the session id.
fn check_open(open: &PushOpen) -> Result<Uuid, Fault> {
    let mut fault = Fault::new(Reason::InvalidRequest);
    let session_id = Uuid::parse_str(&open.session_id);
    if session_id.is_err() {
        fault = fault.violation("open.session_id", "must be a UUID");
    }
    match PushMode::try_from(open.mode) {
        Ok(PushMode::Patch | PushMode::ValidateOnly) => {}
        Ok(PushMode::Full) if open.full_kinds.is_empty() => {
            fault = fault.violation("open.full_kinds", "FULL must name the kinds that it covers");
        }
        Ok(PushMode::Full) => {}
        Ok(PushMode::Unspecified) | Err(_) => {
            fault = fault.violation("open.mode", "PATCH, FULL or VALIDATE_ONLY")
        }
    }
    let unknown = |k: &i32| Kind::try_from(*k).ok().and_then(record_of).is_none();
    if open.full_kinds.iter().any(unknown) {
        fault = fault.violation("open.full_kinds", "unknown kind");
    }
    fault.into_result()?;
    session_id.map_err(|_| Fault::new(Reason::InvalidRequest))
}
