//! RecordService.
use crate::records::RegistryRecords;
use eduhub_auth::caller;
use eduhub_proto::{
    common::v1::ChangeHeader,
    registry::v1::{
        Change, GetRecordRequest, ListRecordsRequest, Record, RecordPage,
        record_service_server::RecordService,
    },
};
use eduhub_seals::{Archive, Named, Page, RecordList};
use tonic::{Request, Response, Status};

/// The service.
pub struct Records(pub Archive<RegistryRecords>);

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

fn named(r: &GetRecordRequest) -> Named<'_> {
    Named { school_code: &r.school_code, kind: r.kind, record_key: &r.record_key }
}

#[tonic::async_trait]
impl RecordService for Records {
    async fn get_record(&self, request: Request<GetRecordRequest>) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let found = self.0.get(&caller, named(request.get_ref())).await?;
        Ok(Response::new(change(found)))
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

    async fn get_history(&self, request: Request<GetRecordRequest>) -> Result<Response<RecordPage>, Status> {
        let caller = caller(&request)?;
        let list = self.0.history(&caller, named(request.get_ref())).await?;
        Ok(Response::new(page(list)))
    }
}
