//! `RecordService`, which every service that holds records has in its own package. They differ by their record alone, but
//! their generated traits have nothing in common, so what is written for all of them stands once here and only names the
//! types.

/// Implements the `RecordService` of an API package for a type whose first field is a [`Reads`](crate::Reads); methods that
/// only this package has follow behind `and`, with `caller`, `Request`, `Response` and `Status` at hand. It also gives
/// the calling module the functions `changes` and `page`, which make the package's `Change`s and `RecordPage` of what was read.
/// The crate that calls it has `eduhub-auth`, `eduhub-proto`, `tonic`.
#[macro_export]
macro_rules! record_service {
    ($service:ty: $api:ident $(, and { $($more:tt)* })?) => {
        fn changes(seen: Vec<$crate::Seen<$api::Record>>) -> Vec<$api::Change> {
            seen.into_iter().map(|(header, record)| $api::Change { header: Some(header), record }).collect()
        }

        /// A page as it goes over the wire.
        pub(crate) fn page(list: $crate::RecordList<$api::Record>) -> $api::RecordPage {
            $api::RecordPage { records: changes(list.records), next_page_token: list.next_page_token }
        }

        const _: () = {
            use ::eduhub_auth::caller;
            use ::eduhub_proto::common::v1::{
                BatchGetRecordsRequest, CountRecordsRequest, CountRecordsResponse, GetPositionRequest,
                GetRecordHistoryRequest, GetRecordRequest, ListRecordsRequest, LogPosition,
            };
            use ::tonic::{Request, Response, Status};

            #[::tonic::async_trait]
            impl $api::record_service_server::RecordService for $service {
                async fn get_record(
                    &self,
                    _: Request<GetRecordRequest>,
                ) -> Result<Response<$api::Change>, Status> {
                    // `RecordServer` stands before this and has answered.
                    Err(Status::unimplemented(""))
                }

                async fn batch_get_records(
                    &self,
                    request: Request<BatchGetRecordsRequest>,
                ) -> Result<Response<$api::BatchGetRecordsResponse>, Status> {
                    let batch = self.0.batch(&caller(&request)?, request.get_ref()).await?;
                    let (records, absent) = (changes(batch.found), batch.absent);
                    Ok(Response::new($api::BatchGetRecordsResponse { records, absent }))
                }

                async fn list_records(
                    &self,
                    request: Request<ListRecordsRequest>,
                ) -> Result<Response<$api::RecordPage>, Status> {
                    Ok(Response::new(page(self.0.list(&caller(&request)?, request.get_ref()).await?)))
                }

                async fn get_history(
                    &self,
                    request: Request<GetRecordHistoryRequest>,
                ) -> Result<Response<$api::HistoryPage>, Status> {
                    let history = self.0.history(&caller(&request)?, request.get_ref()).await?;
                    let versions = history.versions.into_iter().map(|version| {
                        let (header, record) = version.seen;
                        $api::RecordVersion { header: Some(header), record, detail: Some(version.detail) }
                    });
                    let next_page_token = history.next_page_token;
                    Ok(Response::new($api::HistoryPage { versions: versions.collect(), next_page_token }))
                }

                async fn count_records(
                    &self,
                    request: Request<CountRecordsRequest>,
                ) -> Result<Response<CountRecordsResponse>, Status> {
                    Ok(Response::new(self.0.count(&caller(&request)?, request.get_ref()).await?))
                }

                async fn get_position(
                    &self,
                    request: Request<GetPositionRequest>,
                ) -> Result<Response<LogPosition>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.position(&caller, &request.get_ref().school_code).await?))
                }

                $($($more)*)?
            }
        };
    };
}
