//! SealService.
use crate::{record::rpc::page, records::FacilityRecords};
use eduhub_auth::caller;
use eduhub_proto::{
    common::v1::{
        DiffSealRequest, GetSealRequest, ListSealedRequest, SchoolDigest, SchoolDigestRequest, Seal,
        SealRequest,
    },
    facility::v1::{DiffPage, FieldDiff, RecordDiff, RecordPage, seal_service_server::SealService},
};
use eduhub_seals::{Archive, Compared};
use tonic::{Request, Response, Status};

/// The service.
pub struct Seals(pub Archive<FacilityRecords>);

#[tonic::async_trait]
impl SealService for Seals {
    async fn create_seal(&self, request: Request<SealRequest>) -> Result<Response<Seal>, Status> {
        // A seal is part of a submission: what keeps the log from being pruned is made there alone.
        caller(&request)?.require_service("approval")?;
        Ok(Response::new(self.0.seal(request.into_inner()).await?))
    }

    async fn get_seal(&self, request: Request<GetSealRequest>) -> Result<Response<Seal>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.0.head(&caller, &request.get_ref().seal_id).await?))
    }

    async fn list_sealed(&self, request: Request<ListSealedRequest>) -> Result<Response<RecordPage>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(page(self.0.sealed(&caller, request.get_ref()).await?)))
    }

    async fn diff_seal(&self, request: Request<DiffSealRequest>) -> Result<Response<DiffPage>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(differences(self.0.diff(&caller, request.get_ref()).await?)))
    }

    async fn get_school_digest(
        &self,
        request: Request<SchoolDigestRequest>,
    ) -> Result<Response<SchoolDigest>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.0.school_digest(&caller, request.into_inner().school_code).await?))
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
