//! One school, one software (R-FLOW-2, R-SOFT-0), or, where the Department allows it, one software for each data domain
//! (decision 0017): how a vendor's grant takes its place.
use super::{GrantRow, Kind, store};
use crate::database::Lock;
use crate::principal::store::{self as principals, New};
use crate::token::revocations::{self, Subject};
use eduhub_auth::Role;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, Failure, PgConnection};
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// The key that holds one open grant for each domain of a school.
const ONE_GRANT: &str = "domain_owners_one_grant";

/// How much of a school's data a vendor's grant holds against other vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exclusive {
    /// All of it: one software a school, whatever its domains.
    #[default]
    School,
    /// Its domains: what it does not have may be another vendor's.
    Domains,
}

/// What an approved application gives.
#[derive(Debug, Clone)]
pub struct VendorGrant {
    /// Where it comes from.
    pub application_id: Uuid,
    /// Vendor.
    pub vendor_code: String,
    /// Product, for people.
    pub software: String,
    /// Contract between school and vendor.
    pub contract_number: String,
    /// Its clause on secrecy (R-API-5).
    pub secrecy_clause: String,
    /// The school.
    pub school_code: String,
    /// Where it stands.
    pub commune_code: String,
    /// Name of the school, for people.
    pub school_name: String,
    /// Data domains.
    pub domains: Vec<DataDomain>,
    /// First and last day.
    pub period: (Date, Date),
}

/// What a vendor asks for, or is about to get.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// School.
    pub school_code: &'a str,
    /// Vendor.
    pub vendor_code: &'a str,
    /// Data domains.
    pub domains: &'a [DataDomain],
    /// What a grant holds.
    pub exclusive: Exclusive,
}

impl Claim<'_> {
    /// Domains of another vendor's grant that stand in the way: all of them where a software has the school to itself.
    fn taken_by(&self, other: &GrantRow) -> Vec<DataDomain> {
        let theirs = other.domains.iter().filter_map(|number| DataDomain::try_from(*number).ok());
        theirs.filter(|d| self.exclusive == Exclusive::School || self.domains.contains(d)).collect()
    }
}

/// Refuses when another vendor holds the school, or one of the domains.
///
/// # Errors
/// ALREADY_EXISTS/GRANT_CONFLICT naming the grant that owns it.
pub async fn refuse_conflict(conn: &mut PgConnection, claim: Claim<'_>, today: Date) -> Result<(), Failure> {
    let open = store::open_of_school(conn, claim.school_code).await?;
    let others =
        open.iter().filter(|g| g.is_live(today) && g.vendor_code.as_deref() != Some(claim.vendor_code));
    for other in others {
        let taken = claim.taken_by(other);
        if !taken.is_empty() {
            return Err(conflict(other, &taken).into());
        }
    }
    Ok(())
}

/// Gives the school's data to the vendor. A grant whose last day is over makes room; one of the same vendor ends here and
/// hands over its client, whose credentials so stay good; one of another vendor stays, and keeps its domains only.
///
/// # Errors
/// ALREADY_EXISTS/GRANT_CONFLICT.
pub async fn bind(
    conn: &mut PgConnection,
    new: VendorGrant,
    exclusive: Exclusive,
    by: &str,
    today: Date,
) -> Result<Uuid, Failure> {
    Lock::School(&new.school_code).take(conn).await?;
    let (school_code, vendor_code) = (new.school_code.as_str(), new.vendor_code.as_str());
    refuse_conflict(conn, Claim { school_code, vendor_code, domains: &new.domains, exclusive }, today)
        .await?;
    let client = make_room(conn, &new, by, today).await?;
    let name = format!("{} - {}", new.software, new.school_name);
    let principal_id = match client {
        Some(client) => client,
        None => principals::insert(conn, &New::api_client(name.clone(), Role::Vendor), by).await?,
    };
    let row = row(new, principal_id, name, exclusive, by);
    match store::insert(conn, &row).await {
        Ok(()) => Ok(row.id),
        // Nobody gets here past the lock; the key is the promise, so its word is passed on all the same.
        Err(error) if error.is_unique(ONE_GRANT) => Err(Fault::new(Reason::GrantConflict).into()),
        Err(error) => Err(DbError::into(error)),
    }
}

/// Ends what the new grant takes the place of; gives the client of the vendor's own.
async fn make_room(
    conn: &mut PgConnection,
    new: &VendorGrant,
    by: &str,
    today: Date,
) -> Result<Option<Uuid>, Failure> {
    let mut client = None;
    for old in store::open_of_school(conn, &new.school_code).await? {
        let same = old.vendor_code.as_deref() == Some(new.vendor_code.as_str());
        if same {
            client = Some(old.principal_id);
        } else if old.is_live(today) {
            store::keep_domains_only(conn, old.id).await?;
            continue;
        }
        let why = if same { "renewed by a new application" } else { "its last day is over" };
        if store::end(conn, old.id, by, why).await? {
            revocations::add(conn, Subject::Grant(old.id)).await?;
        }
    }
    Ok(client)
}

fn row(new: VendorGrant, principal_id: Uuid, name: String, exclusive: Exclusive, by: &str) -> GrantRow {
    GrantRow {
        id: Uuid::now_v7(),
        kind: Kind::Vendor as i16,
        principal_id,
        name,
        application_id: Some(new.application_id),
        vendor_code: Some(new.vendor_code),
        software: Some(new.software),
        contract_number: new.contract_number,
        secrecy_clause: new.secrecy_clause,
        scope_province: false,
        scope_communes: Vec::new(),
        scope_schools: vec![new.school_code.clone()],
        school_code: Some(new.school_code),
        commune_code: Some(new.commune_code),
        whole_school: exclusive == Exclusive::School,
        domains: new.domains.iter().map(|domain| *domain as i32).collect(),
        // A vendor sends personal IDs and never gets one back.
        max_class: Sensitivity::Sensitive as i32,
        valid_from: new.period.0,
        valid_to: new.period.1,
        created_at: OffsetDateTime::UNIX_EPOCH,
        created_by: by.to_owned(),
        ended_at: None,
        ended_by: None,
        end_reason: None,
    }
}

fn conflict(owner: &GrantRow, taken: &[DataDomain]) -> Fault {
    let vendor = owner.vendor_code.as_deref().unwrap_or_default();
    let software = owner.software.as_deref().unwrap_or_default();
    let domains = taken.iter().map(|d| d.as_str_name()).collect::<Vec<_>>().join(" ");
    Fault::new(Reason::GrantConflict)
        .meta("grant_id", owner.id)
        .meta("vendor_code", vendor)
        .meta("software", software)
        .meta("domains", domains)
}
