//! RecordService.
use crate::records::RegistryRecords;
use eduhub_auth::caller;
use eduhub_proto::{
    common::v1::{
        BatchGetRecordsRequest, CountRecordsRequest, CountRecordsResponse, GetPositionRequest,
        GetRecordHistoryRequest, LogPosition, SearchRecordsRequest,
    },
    registry::v1::{
        BatchGetRecordsResponse, Change, GetRecordRequest, HistoryPage, ListRecordsRequest, Record,
        RecordPage, RecordVersion, SearchRecordsResponse, record_service_server::RecordService,
    },
};
use eduhub_reads::{Page, Reads, RecordList, Seen};
use tonic::{Request, Response, Status};

/// The service.
#[derive(Clone)]
pub struct Records(pub Reads<RegistryRecords>);

fn change((header, record): Seen<Record>) -> Change {
    Change { header: Some(header), record }
}

fn changes(seen: Vec<Seen<Record>>) -> Vec<Change> {
    seen.into_iter().map(change).collect()
}

/// A page as it goes over the wire.
pub(crate) fn page(list: RecordList<Record>) -> RecordPage {
    RecordPage { records: changes(list.records), next_page_token: list.next_page_token }
}

#[tonic::async_trait]
impl RecordService for Records {
    async fn get_record(&self, _: Request<GetRecordRequest>) -> Result<Response<Change>, Status> {
        // `RecordServer` stands before this and has answered.
        Err(Status::unimplemented(""))
    }

    async fn batch_get_records(
        &self,
        request: Request<BatchGetRecordsRequest>,
    ) -> Result<Response<BatchGetRecordsResponse>, Status> {
        let batch = self.0.batch(&caller(&request)?, request.get_ref()).await?;
        Ok(Response::new(BatchGetRecordsResponse { records: changes(batch.found), absent: batch.absent }))
    }

    async fn list_records(
        &self,
        request: Request<ListRecordsRequest>,
    ) -> Result<Response<RecordPage>, Status> {
        let caller = caller(&request)?;
        let r = request.get_ref();
        let asked = Page {
            school_code: &r.school_code,
            kind: r.kind,
            size: r.page_size,
            token: &r.page_token,
            filter: r.filter.as_ref(),
            as_of: r.as_of.as_ref(),
        };
        Ok(Response::new(page(self.0.list(&caller, asked).await?)))
    }

    async fn get_history(
        &self,
        request: Request<GetRecordHistoryRequest>,
    ) -> Result<Response<HistoryPage>, Status> {
        let history = self.0.history(&caller(&request)?, request.get_ref()).await?;
        let versions = history.versions.into_iter().map(|version| {
            let (header, record) = version.seen;
            RecordVersion { header: Some(header), record, detail: Some(version.detail) }
        });
        let next_page_token = history.next_page_token;
        Ok(Response::new(HistoryPage { versions: versions.collect(), next_page_token }))
    }

    async fn count_records(
        &self,
        request: Request<CountRecordsRequest>,
    ) -> Result<Response<CountRecordsResponse>, Status> {
        Ok(Response::new(self.0.count(&caller(&request)?, request.get_ref()).await?))
    }

    async fn search_records(
        &self,
        request: Request<SearchRecordsRequest>,
    ) -> Result<Response<SearchRecordsResponse>, Status> {
        let persons = self.0.search(&caller(&request)?, request.get_ref()).await?;
        Ok(Response::new(SearchRecordsResponse { records: changes(persons.found), more: persons.more }))
    }

    async fn get_position(
        &self,
        request: Request<GetPositionRequest>,
    ) -> Result<Response<LogPosition>, Status> {
        Ok(Response::new(self.0.position(&caller(&request)?, &request.get_ref().school_code).await?))
    }
}
