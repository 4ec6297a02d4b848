//! VendorService.
use super::{model, store};
use crate::check::today;
use crate::database::transaction;
use eduhub_pg::{Failure, PgPool};
use eduhub_proto::identity::v1::vendor_service_server::VendorService;
use eduhub_proto::identity::v1::{ListVendorsRequest, ListVendorsResponse, RegisterVendorRequest, Vendor};
use tonic::{Request, Response, Status};

/// Answers VendorService.
pub struct Vendors {
    pool: PgPool,
}

impl Vendors {
    /// On this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[tonic::async_trait]
impl VendorService for Vendors {
    async fn register_vendor(
        &self,
        request: Request<RegisterVendorRequest>,
    ) -> Result<Response<Vendor>, Status> {
        let vendor = request.into_inner().vendor.unwrap_or_default();
        model::check(&vendor, today())?;
        let saved = transaction(&self.pool, |conn| {
            Box::pin(async move {
                store::save(conn, &vendor).await?;
                let all = store::all(conn).await?;
                Ok(all.into_iter().find(|known| known.code == vendor.code).unwrap_or(vendor))
            })
        });
        Ok(Response::new(saved.await?))
    }

    async fn list_vendors(
        &self,
        _: Request<ListVendorsRequest>,
    ) -> Result<Response<ListVendorsResponse>, Status> {
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        let vendors = store::all(&mut conn).await?;
        Ok(Response::new(ListVendorsResponse { vendors }))
    }
}
