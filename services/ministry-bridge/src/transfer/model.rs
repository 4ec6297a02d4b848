use eduhub_auth::{Caller, Role, SchoolPlace};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::approval::v1::{Submission, SubmissionState};
use eduhub_proto::bridge::v1::{LedgerState, TransferMode, TransferState};
use eduhub_proto::common::v1::{DataDomain, Dataset, Period};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::Initiator;
use crate::seal::SealRef;

/// A transfer as stored.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Id.
    pub transfer_id: Uuid,
    /// Submission.
    pub submission_id: Uuid,
    /// Seal.
    pub seal_id: String,
    /// School.
    pub school_code: String,
    /// Its name when it submitted.
    pub school_name: String,
    /// Its commune when it submitted.
    pub commune_code: String,
    /// School year.
    pub school_year: i32,
    /// Dataset.
    pub dataset: Dataset,
    /// Period.
    pub period: Period,
    /// By API or by hand.
    pub mode: TransferMode,
    /// Where it stands.
    pub state: TransferState,
    /// Who started it.
    pub started_by: String,
    /// Trace to go on with.
    pub traceparent: String,
    /// Why it failed.
    pub problem: String,
    /// Start.
    pub started_at: OffsetDateTime,
    /// End.
    pub finished_at: Option<OffsetDateTime>,
    /// When approval had the outcome.
    pub reported_at: Option<OffsetDateTime>,
}

impl Transfer {
    /// The school, for access checks.
    pub fn place(&self) -> SchoolPlace {
        SchoolPlace { school_code: self.school_code.clone(), commune_code: self.commune_code.clone() }
    }

    /// Its seal.
    pub fn seal(&self) -> SealRef {
        SealRef {
            seal_id: self.seal_id.clone(),
            school_code: self.school_code.clone(),
            school_year: self.school_year,
            dataset: self.dataset,
        }
    }

    /// Requires the school and the dataset's domain of the caller; what is out of scope looks absent.
    ///
    /// # Errors
    /// NOT_FOUND/NOT_FOUND, PERMISSION_DENIED/FORBIDDEN.
    pub fn visible_to(&self, caller: &Caller) -> Result<(), Fault> {
        require(caller, &self.place(), self.dataset)
    }
}

/// What a new transfer is made of.
#[derive(Debug, Clone)]
pub struct NewTransfer {
    /// Id as chosen by the client.
    pub transfer_id: Uuid,
    /// The approved submission's particulars.
    pub submission: Submission,
    /// Submission's id.
    pub submission_id: Uuid,
    /// Way of the dataset today.
    pub mode: TransferMode,
    /// Who starts it.
    pub started_by: String,
    /// Trace to go on with.
    pub traceparent: String,
}

/// Data domain that a caller must hold for a dataset.
pub fn domain_of(dataset: Dataset) -> DataDomain {
    match dataset {
        Dataset::Pupils => DataDomain::Pupil,
        Dataset::Staff => DataDomain::Staff,
        Dataset::Results => DataDomain::Result,
        Dataset::Facilities => DataDomain::Facility,
        Dataset::Unspecified => DataDomain::Unspecified,
    }
}

/// Requires a school and a dataset of the caller.
pub(super) fn require(caller: &Caller, place: &SchoolPlace, dataset: Dataset) -> Result<(), Fault> {
    caller.require_school(place, domain_of(dataset)).map_err(|fault| match fault.reason() {
        Reason::SchoolNotFound => Fault::new(Reason::NotFound),
        _ => fault,
    })
}

/// Whether this caller is the one who starts transfers here (R-FLOW-22).
pub(super) fn may_start(initiator: Initiator, caller: &Caller) -> Result<(), Fault> {
    let role = match initiator {
        Initiator::Unit => Role::SchoolOfficer,
        Initiator::Department => Role::DepartmentAdmin,
    };
    if caller.has_role(role) {
        return Ok(());
    }
    Err(Fault::new(Reason::Forbidden).meta("initiator", role.name()))
}

/// Only what every step approved goes to the Ministry.
pub(super) fn approved(submission: &Submission) -> Result<(), Fault> {
    match submission.state() {
        SubmissionState::Approved | SubmissionState::Transferred => Ok(()),
        state => Err(Fault::new(Reason::NotApproved).meta("state", state.as_str_name())),
    }
}

/// The outcome in one line, for approval's history: `412 accepted, 3 rejected`.
pub fn summary(counts: &[(LedgerState, u64)]) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(state, n)| {
            let name = state.as_str_name().trim_start_matches("LEDGER_STATE_").to_lowercase();
            format!("{n} {name}")
        })
        .collect();
    if parts.is_empty() { "0 records".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_auth::testing::Persona;

    #[tokio::test]
    async fn the_setting_decides_who_starts() {
        let school = Persona::school_officer("37000001").caller();
        let admin = Persona::admin().caller();
        assert!(may_start(Initiator::Unit, &school).is_ok());
        assert!(may_start(Initiator::Unit, &admin).is_err());
        assert!(may_start(Initiator::Department, &admin).is_ok());
        assert!(may_start(Initiator::Department, &school).is_err());
    }

    #[test]
    fn only_approved_submissions_go() {
        let of = |state: SubmissionState| Submission { state: state as i32, ..Submission::default() };
        assert!(approved(&of(SubmissionState::Approved)).is_ok());
        for state in [SubmissionState::InReview, SubmissionState::Returned, SubmissionState::Withdrawn] {
            assert_eq!(approved(&of(state)).unwrap_err().reason(), Reason::NotApproved);
        }
    }
}
