//! SealService.
use crate::{access::Access, record::rpc::page, records::RegistryRecords};
use eduhub_auth::{Caller, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::{
    common::v1::{
        Dataset, DiffSealRequest, GetSealRequest, ListSealedRequest, SchoolDigest, SchoolDigestRequest, Seal,
        SealRequest,
    },
    dictionary::{CLASS_SECRET, kinds_of},
    registry::v1::{DiffPage, FieldDiff, RecordDiff, RecordPage, seal_service_server::SealService},
};
use eduhub_seals::{Compared, Reader, Sealed};
use eduhub_vault::Vault;
use sqlx::PgConnection;
use std::{sync::Arc, time::Duration};
use tonic::{Request, Response, Status};

/// Longest time that making a seal may take.
const SEALING: Duration = Duration::from_secs(30);

/// The service.
pub struct Seals {
    /// Database.
    pub pool: PgPool,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Access checks.
    pub access: Access,
}

impl Seals {
    /// Loads a seal that the caller may see: its school must be in scope for every kind of the dataset.
    async fn load(&self, conn: &mut PgConnection, caller: &Caller, seal_id: &str) -> Result<Sealed, Fault> {
        let sealed = eduhub_seals::load(conn, seal_id).await?;
        for kind in kinds_of(Dataset::try_from(sealed.head.dataset).unwrap_or_default()) {
            // A seal out of reach looks like none.
            let allowed = self.access.kind(caller, &sealed.head.school_code, *kind as i32).await;
            allowed.map_err(|f| if f.reason() == Reason::SchoolNotFound { Fault::new(Reason::NotFound) } else { f })?;
        }
        Ok(sealed)
    }

    fn reader(&self, caller: &Caller) -> Reader<'_> {
        // A seal is read exactly, but never with more than the caller may see.
        Reader { vault: &self.vault, max_class: caller.max_class.min(CLASS_SECRET) }
    }
}

/// Starts the snapshot that position, rows and counts must share.
async fn one_snapshot(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query("set transaction isolation level repeatable read").execute(conn).await?;
    Ok(())
}

#[tonic::async_trait]
impl SealService for Seals {
    async fn create_seal(&self, request: Request<SealRequest>) -> Result<Response<Seal>, Status> {
        let request = request.into_inner();
        self.access.entry(&request.school_code).await?;
        let seal = in_tx(&self.pool, SEALING, move |conn| {
            Box::pin(async move {
                one_snapshot(conn).await?;
                eduhub_seals::create::<RegistryRecords>(conn, &request).await
            })
        })
        .await?;
        Ok(Response::new(seal))
    }

    async fn get_seal(&self, request: Request<GetSealRequest>) -> Result<Response<Seal>, Status> {
        let caller = caller(&request)?;
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let sealed = self.load(&mut conn, &caller, &request.get_ref().seal_id).await?;
        Ok(Response::new(sealed.head))
    }

    async fn list_sealed(&self, request: Request<ListSealedRequest>) -> Result<Response<RecordPage>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let sealed = self.load(&mut conn, &caller, &request.seal_id).await?;
        let list =
            eduhub_seals::list_sealed::<RegistryRecords>(&mut conn, &self.reader(&caller), &sealed, &request).await?;
        Ok(Response::new(page(list)))
    }

    async fn diff_seal(&self, request: Request<DiffSealRequest>) -> Result<Response<DiffPage>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let sealed = self.load(&mut conn, &caller, &request.seal_id).await?;
        let base = if request.base_seal_id.is_empty() {
            None
        } else {
            let base = self.load(&mut conn, &caller, &request.base_seal_id).await?;
            if base.head.school_code != sealed.head.school_code || base.head.dataset != sealed.head.dataset {
                return Err(Fault::invalid("base_seal_id", "is of another school or dataset").into());
            }
            Some(base)
        };
        let reader = self.reader(&caller);
        let compared =
            eduhub_seals::diff::<RegistryRecords>(&mut conn, &reader, &sealed, base.as_ref(), &request).await?;
        Ok(Response::new(differences(compared)))
    }

    async fn get_school_digest(
        &self,
        request: Request<SchoolDigestRequest>,
    ) -> Result<Response<SchoolDigest>, Status> {
        let caller = caller(&request)?;
        let school_code = request.into_inner().school_code;
        for kind in eduhub_proto::RECORDS.iter().filter(|r| caller.has_domain(r.domain())) {
            self.access.school(&caller, &school_code, kind.domain()).await?;
        }
        let digest = in_tx(&self.pool, SEALING, move |conn| {
            Box::pin(async move {
                one_snapshot(conn).await?;
                eduhub_seals::school_digest::<RegistryRecords>(conn, &school_code).await
            })
        })
        .await?;
        Ok(Response::new(digest))
    }
}

fn differences(compared: Compared) -> DiffPage {
    let compared_count = compared.records.len() as u64;
    let records = compared
        .records
        .into_iter()
        .map(|d| RecordDiff {
            header: Some(d.header),
            added: d.added,
            removed: d.removed,
            fields: d
                .fields
                .into_iter()
                .map(|f| FieldDiff {
                    field: f.meta.name.to_owned(),
                    label: f.meta.label.to_owned(),
                    before: f.before,
                    after: f.after,
                })
                .collect(),
        })
        .collect();
    DiffPage { records, next_page_token: compared.next_page_token, compared: compared_count }
}
