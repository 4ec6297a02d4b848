//! What makes a consumer's grant.
use crate::check::{Check, is_commune, is_school};
use crate::wire::scope_in;
use eduhub_auth::Scope;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_proto::identity::v1::CreateConsumerGrantRequest;
use time::Date;

/// What a grant is for; the numbers are those in the database and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One school's software.
    Vendor = 1,
    /// A reader.
    Consumer = 2,
}

/// A consumer's grant that may be created.
#[derive(Debug)]
pub struct NewConsumer {
    /// Name of the consumer.
    pub name: String,
    /// Agreement.
    pub contract_number: String,
    /// Its clause on secrecy.
    pub secrecy_clause: String,
    /// Schools in reach.
    pub scope: Scope,
    /// Data domains.
    pub domains: Vec<DataDomain>,
    /// Highest class of fields.
    pub max_class: Sensitivity,
    /// First and last day.
    pub period: (Date, Date),
}

impl NewConsumer {
    /// Parses a request.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST with every violation.
    pub fn parse(request: CreateConsumerGrantRequest, today: Date) -> Result<Self, Fault> {
        let mut check = Check::new(today);
        check.text("name", &request.name, 2..=200);
        check.text("contract_number", &request.contract_number, 1..=50);
        check.text("secrecy_clause", &request.secrecy_clause, 2..=500);
        let scope = scope_in(request.scope.unwrap_or_default());
        check.require(!scope.is_empty(), "scope", Reason::Missing);
        check.require(
            scope.communes.iter().all(|code| is_commune(code)),
            "scope.communes",
            Reason::BadFormat,
        );
        check.require(scope.schools.iter().all(|code| is_school(code)), "scope.schools", Reason::BadFormat);
        let domains = check.domains("domains", &request.domains, false);
        let max_class = check.class("max_class", request.max_class, None);
        let period = check.period(("valid_from", &request.valid_from), ("valid_to", &request.valid_to));
        check.finish()?;
        Ok(Self {
            name: request.name,
            contract_number: request.contract_number,
            secrecy_clause: request.secrecy_clause,
            scope,
            domains,
            max_class,
            period: period.ok_or_else(|| Fault::invalid("valid_to", "OUT_OF_RANGE"))?,
        })
    }
}
