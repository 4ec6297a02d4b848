//! RecordService.
use crate::records::RegistryRecords;
use eduhub_proto::{common::v1::SearchRecordsRequest, registry::v1};
use eduhub_reads::Reads;

/// The service.
#[derive(Clone)]
pub struct Records(pub Reads<RegistryRecords>);

eduhub_reads::record_service!(Records: v1, and {
    async fn search_records(
        &self,
        request: Request<SearchRecordsRequest>,
    ) -> Result<Response<v1::SearchRecordsResponse>, Status> {
        let persons = self.0.search(&caller(&request)?, request.get_ref()).await?;
        Ok(Response::new(v1::SearchRecordsResponse { records: changes(persons.found), more: persons.more }))
    }
});
