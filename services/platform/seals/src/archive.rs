//! Seals for callers: every read checks the caller's reach first and shows no more than its class.
use crate::{Sealed, compare, pages, seal};
use eduhub_auth::{Caller, Gate};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::{
    common::v1::{Dataset, DiffPage, DiffSealRequest, ListSealedRequest, SchoolDigest, Seal, SealRequest},
    dictionary::kinds_of,
};
use eduhub_reads::{Reader, RecordList};
use eduhub_vault::Vault;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use std::{marker::PhantomData, sync::Arc, time::Duration};

/// Longest time that making a seal may take.
const SEALING: Duration = Duration::from_secs(30);

/// The seals of one service.
pub struct Archive<S> {
    pool: PgPool,
    vault: Arc<Vault>,
    gate: Gate,
    set: PhantomData<S>,
}

impl<S> Clone for Archive<S> {
    fn clone(&self) -> Self {
        let (pool, vault, gate) = (self.pool.clone(), self.vault.clone(), self.gate.clone());
        Self { pool, vault, gate, set: PhantomData }
    }
}

impl<S: RecordSet> Archive<S> {
    /// Over a service's database, keys and schools.
    pub fn new(pool: PgPool, vault: Arc<Vault>, gate: Gate) -> Self {
        Self { pool, vault, gate, set: PhantomData }
    }

    fn reader(&self, caller: &Caller) -> Reader<'_> {
        Reader { vault: &self.vault, max_class: caller.max_class }
    }

    async fn conn(&self) -> Result<PoolConnection<Postgres>, Fault> {
        Ok(self.pool.acquire().await.map_err(DbError::from)?)
    }

    /// Fixes the state of a dataset; the same id again gives the same seal. Whom to let in is the service's to say.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; INVALID_ARGUMENT; ALREADY_EXISTS for an id that seals something else.
    pub async fn seal(&self, request: SealRequest) -> Result<Seal, Fault> {
        self.gate.exists(&request.school_code).await?;
        match self.seal_once(request.clone()).await {
            // Another call with this id was first; what it made is there now.
            Err(fault) if fault.reason() == Reason::Conflict => self.seal_once(request).await,
            outcome => outcome,
        }
    }

    async fn seal_once(&self, request: SealRequest) -> Result<Seal, Fault> {
        in_tx(&self.pool, SEALING, move |conn| {
            Box::pin(async move {
                one_snapshot(conn).await?;
                seal::create::<S>(conn, &request).await
            })
        })
        .await
    }

    /// A seal's head.
    ///
    /// # Errors
    /// NOT_FOUND when there is none or its school is out of reach; PERMISSION_DENIED for a domain of its kinds.
    pub async fn head(&self, caller: &Caller, seal_id: &str) -> Result<Seal, Fault> {
        Ok(self.load(&mut *self.conn().await?, caller, seal_id).await?.head)
    }

    /// Records exactly as sealed, by key.
    ///
    /// # Errors
    /// As [`Archive::head`]; INVALID_ARGUMENT for kind, size and token.
    pub async fn sealed(
        &self,
        caller: &Caller,
        request: &ListSealedRequest,
    ) -> Result<RecordList<S::Record>, Fault> {
        let mut conn = self.conn().await?;
        let sealed = self.load(&mut conn, caller, &request.seal_id).await?;
        pages::list_sealed::<S>(&mut conn, &self.reader(caller), &sealed, request).await
    }

    /// What differs between a seal and another seal, or the live state.
    ///
    /// # Errors
    /// As [`Archive::head`], for both seals; INVALID_ARGUMENT when they are of different schools or datasets.
    pub async fn diff(&self, caller: &Caller, request: &DiffSealRequest) -> Result<DiffPage, Fault> {
        let mut conn = self.conn().await?;
        let sealed = self.load(&mut conn, caller, &request.seal_id).await?;
        let base = match request.base_seal_id.as_str() {
            "" => None,
            id => Some(self.load(&mut conn, caller, id).await?),
        };
        let other = |b: &Sealed| {
            (&b.head.school_code, b.head.dataset) != (&sealed.head.school_code, sealed.head.dataset)
        };
        if base.as_ref().is_some_and(other) {
            return Err(Fault::invalid("base_seal_id", "is of another school or dataset"));
        }
        compare::diff::<S>(&mut conn, &self.reader(caller), &sealed, base.as_ref(), request).await
    }

    /// Digest of everything live in a school, for a caller with any domain of the service.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/FORBIDDEN without such a domain.
    pub async fn school_digest(&self, caller: &Caller, school_code: String) -> Result<SchoolDigest, Fault> {
        self.gate.any(caller, &school_code, &S::domains()).await?;
        in_tx(&self.pool, SEALING, move |conn| {
            Box::pin(async move {
                one_snapshot(conn).await?;
                seal::school_digest::<S>(conn, &school_code).await
            })
        })
        .await
    }

    /// A seal whose school is in reach for every kind of its dataset. One out of reach looks like none.
    async fn load(&self, conn: &mut PgConnection, caller: &Caller, seal_id: &str) -> Result<Sealed, Fault> {
        let sealed = seal::load(conn, seal_id).await?;
        for kind in kinds_of(Dataset::try_from(sealed.head.dataset).unwrap_or_default()) {
            let allowed = self.gate.kind(caller, &sealed.head.school_code, *kind as i32).await;
            allowed.map_err(|f| {
                if f.reason() == Reason::SchoolNotFound { Fault::new(Reason::NotFound) } else { f }
            })?;
        }
        Ok(sealed)
    }
}

/// Starts the snapshot that position, rows and counts must share.
async fn one_snapshot(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query("set transaction isolation level repeatable read").execute(conn).await?;
    Ok(())
}
