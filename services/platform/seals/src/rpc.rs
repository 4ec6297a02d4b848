//! `SealService`, which every service that seals has in its own package. They differ by their record page alone, but their
//! generated traits have nothing in common, so what is written for all of them stands once here and only names the types.

/// Implements the `SealService` of an API package for a type whose first field is an [`Archive`](crate::Archive).
///
/// `pages by` is the function that makes the package's `RecordPage` of a `eduhub_reads::RecordList`; only the
/// service that the seals are `made for` may make one. The crate that calls it has `eduhub-auth`, `eduhub-proto`, `tonic`.
#[macro_export]
macro_rules! seal_service {
    ($service:ty: $api:ident, pages by $page:path, made for $maker:literal) => {
        const _: () = {
            use ::eduhub_auth::caller;
            use ::eduhub_proto::common::v1::{
                DiffPage, DiffSealRequest, GetSealRequest, ListSealedRequest, SchoolDigest,
                SchoolDigestRequest, Seal, SealRequest,
            };
            use ::tonic::{Request, Response, Status};

            #[::tonic::async_trait]
            impl $api::seal_service_server::SealService for $service {
                async fn create_seal(&self, request: Request<SealRequest>) -> Result<Response<Seal>, Status> {
                    caller(&request)?.require_service($maker)?;
                    Ok(Response::new(self.0.seal(request.into_inner()).await?))
                }

                async fn get_seal(&self, request: Request<GetSealRequest>) -> Result<Response<Seal>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.head(&caller, &request.get_ref().seal_id).await?))
                }

                async fn list_sealed(
                    &self,
                    request: Request<ListSealedRequest>,
                ) -> Result<Response<$api::RecordPage>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new($page(self.0.sealed(&caller, request.get_ref()).await?)))
                }

                async fn diff_seal(
                    &self,
                    request: Request<DiffSealRequest>,
                ) -> Result<Response<DiffPage>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.diff(&caller, request.get_ref()).await?))
                }

                async fn get_school_digest(
                    &self,
                    request: Request<SchoolDigestRequest>,
                ) -> Result<Response<SchoolDigest>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.school_digest(&caller, request.into_inner().school_code).await?))
                }
            }
        };
    };
}
