//! RecordService.
use crate::records::FacilityRecords;
use eduhub_auth::caller;
use eduhub_proto::{
    common::v1::ChangeHeader,
    facility::v1::{
        Change, GetRecordRequest, ListRecordsRequest, Record, RecordPage,
        record_service_server::RecordService,
    },
};
use eduhub_seals::{Archive, Named, Page, RecordList};
use tonic::{Request, Response, Status};

/// The service.
pub struct Records(pub Archive<FacilityRecords>);

/// A change as it goes over the wire.
pub(crate) fn change((header, record): (ChangeHeader, Option<Record>)) -> Change {
    Change { header: Some(header), record }
}

/// A page as it goes over the wire.
pub(crate) fn page(list: RecordList<Record>) -> RecordPage {
    RecordPage {
        records: list.records.into_iter().map(change).collect(),
        next_page_token: list.next_page_token,
    }
}

#[tonic::async_trait]
impl RecordService for Records {
    async fn get_record(&self, request: Request<GetRecordRequest>) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let r = request.get_ref();
        let named = Named { school_code: &r.school_code, kind: r.kind, record_key: &r.record_key };
        Ok(Response::new(change(self.0.get(&caller, named).await?)))
    }

    async fn list_records(
        &self,
        request: Request<ListRecordsRequest>,
    ) -> Result<Response<RecordPage>, Status> {
        let caller = caller(&request)?;
        let r = request.get_ref();
        let asked =
            Page { school_code: &r.school_code, kind: r.kind, size: r.page_size, token: &r.page_token };
        Ok(Response::new(page(self.0.list(&caller, asked).await?)))
    }
}
