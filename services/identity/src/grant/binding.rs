//! One school, one software: how a vendor's grant takes its place (R-FLOW-2, R-FLOW-12).
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

/// The unique index that holds one live vendor's grant a school.
const ONE_PER_SCHOOL: &str = "grants_one_vendor_per_school";

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

/// Refuses when another vendor holds the school.
///
/// # Errors
/// ALREADY_EXISTS/GRANT_CONFLICT naming the grant that owns it.
pub async fn refuse_conflict(
    conn: &mut PgConnection,
    school: &str,
    vendor: &str,
    today: Date,
) -> Result<(), Failure> {
    let open = store::open_of_school(conn, school).await?;
    match open.filter(|grant| grant.is_live(today) && grant.vendor_code.as_deref() != Some(vendor)) {
        Some(owner) => Err(conflict(&owner).into()),
        None => Ok(()),
    }
}

/// Gives the school's data to the vendor. A grant whose last day is over makes room; one of the same vendor ends here and
/// hands over its client, whose credentials so stay good; one of another vendor stays.
///
/// # Errors
/// ALREADY_EXISTS/GRANT_CONFLICT.
pub async fn bind(conn: &mut PgConnection, new: VendorGrant, by: &str, today: Date) -> Result<Uuid, Failure> {
    Lock::School(&new.school_code).take(conn).await?;
    refuse_conflict(conn, &new.school_code, &new.vendor_code, today).await?;
    let open = store::open_of_school(conn, &new.school_code).await?;
    let mut client = None;
    if let Some(old) = &open {
        let same = old.vendor_code.as_deref() == Some(new.vendor_code.as_str());
        client = same.then_some(old.principal_id);
        let why = if same { "renewed by a new application" } else { "its last day is over" };
        if store::end(conn, old.id, by, why).await? {
            revocations::add(conn, Subject::Grant(old.id)).await?;
        }
    }
    let name = format!("{} - {}", new.software, new.school_name);
    let principal_id = match client {
        Some(client) => client,
        None => principals::insert(conn, &New::api_client(name.clone(), Role::Vendor), by).await?,
    };
    let row = row(new, principal_id, name, by);
    match store::insert(conn, &row).await {
        Ok(()) => Ok(row.id),
        // Nobody gets here past the lock; the index is the promise, so its word is passed on all the same.
        Err(error) if error.is_unique(ONE_PER_SCHOOL) => Err(Fault::new(Reason::GrantConflict).into()),
        Err(error) => Err(DbError::into(error)),
    }
}

fn row(new: VendorGrant, principal_id: Uuid, name: String, by: &str) -> GrantRow {
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

fn conflict(owner: &GrantRow) -> Fault {
    let vendor = owner.vendor_code.as_deref().unwrap_or_default();
    Fault::new(Reason::GrantConflict).meta("grant_id", owner.id).meta("vendor_code", vendor)
}
