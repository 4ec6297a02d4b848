//! The digest handshake (protocol and digests: `eduhub/common/v1/compare.proto`): a sender learns what the hub lacks or holds
//! differently before it sends anything. Only reads, nothing is kept between calls.
//!
//! [`range`] is what is compared: the live records of one kind in a school, of one year when the kind is yearly. [`scan`] reads
//! their keys and digests once, in the order of the keys, in one statement; [`groups`] and [`records`] hold what was asked
//! against them. Memory is bounded by the request: of the hub's records only one digest per group is kept.

mod groups;
mod range;
mod records;
mod scan;

use eduhub_auth::{Caller, Gate};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::common::v1::{
    CompareGroupsRequest, CompareGroupsResponse, CompareRecordsRequest, CompareRecordsResponse, DigestKey,
};
use eduhub_vault::{Vault, digest_key_id};
use range::Range;
use std::{marker::PhantomData, sync::Arc};

pub use groups::MAX_GROUPS;
pub use records::MAX_RECORDS;

/// The comparisons of one service. Whether the school year is open does not matter: a closed one can be compared, only not
/// pushed.
pub struct Comparison<S> {
    pool: PgPool,
    vault: Arc<Vault>,
    gate: Gate,
    set: PhantomData<S>,
}

impl<S: RecordSet> Comparison<S> {
    /// Over a service's database, keys and schools.
    pub fn new(pool: PgPool, vault: Arc<Vault>, gate: Gate) -> Self {
        Self { pool, vault, gate, set: PhantomData }
    }

    /// The key of a school's record digests, for a caller with any domain of the service there.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/FORBIDDEN without such a domain.
    pub async fn key(&self, caller: &Caller, school_code: &str) -> Result<DigestKey, Fault> {
        self.gate.any(caller, school_code, &S::domains()).await?;
        let key = self.vault.school_digest_key(school_code);
        Ok(DigestKey { key: key.to_vec(), key_id: digest_key_id(&key).to_vec() })
    }

    /// Which groups of a kind differ.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/FORBIDDEN for the domain; INVALID_ARGUMENT/INVALID_REQUEST;
    /// FAILED_PRECONDITION/DIGEST_KEY_CHANGED.
    pub async fn groups(
        &self,
        caller: &Caller,
        request: CompareGroupsRequest,
    ) -> Result<CompareGroupsResponse, Fault> {
        self.gate.kind(caller, &request.school_code, request.kind).await?;
        let range = Range::of::<S>(&request.school_code, request.school_year, request.kind)?;
        self.made_with(&request.school_code, &request.key_id)?;
        let asked = groups::Asked::new(&range, request.groups)?;
        let mut held = groups::Held::default();
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        scan::scan(&mut conn, &range, |group, key, digest| held.add(group, key, digest)).await?;
        Ok(asked.against(held))
    }

    /// Which records of some groups differ.
    ///
    /// # Errors
    /// As [`Comparison::groups`].
    pub async fn records(
        &self,
        caller: &Caller,
        request: CompareRecordsRequest,
    ) -> Result<CompareRecordsResponse, Fault> {
        self.gate.kind(caller, &request.school_code, request.kind).await?;
        let range = Range::of::<S>(&request.school_code, request.school_year, request.kind)?;
        self.made_with(&request.school_code, &request.key_id)?;
        let mut asked = records::Asked::new(&range, request.groups, request.records)?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        scan::scan(&mut conn, &range, |group, key, digest| asked.meet(group, key, digest)).await?;
        Ok(asked.answer())
    }

    /// Digests of another key would differ everywhere, and everything would be sent every night.
    fn made_with(&self, school_code: &str, key_id: &[u8]) -> Result<(), Fault> {
        let present = digest_key_id(&self.vault.school_digest_key(school_code));
        match key_id.len() {
            n if n != present.len() => Err(Fault::invalid("key_id", "must be 8 bytes")),
            _ if key_id != present => Err(Fault::new(Reason::DigestKeyChanged)),
            _ => Ok(()),
        }
    }
}
