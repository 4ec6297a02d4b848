use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::school_service_server::{SchoolService, SchoolServiceServer};
use eduhub_proto::registry::v1::{
    GetSchoolRequest, ListAdminUnitsRequest, ListAdminUnitsResponse, ListSchoolsRequest, ListSchoolsResponse,
    RegisterSchoolsRequest, RegisterSchoolsResponse, SchoolEntry,
};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A lower secondary school of the commune [`HOA_LU`].
pub const SCHOOL: &str = "37000001";
/// A primary school of the same commune.
pub const SECOND_SCHOOL: &str = "37000002";
/// An upper secondary school, which stands under the Department; on the ground of [`TAY_HOA_LU`].
pub const THPT: &str = "37000003";
pub const HOA_LU: &str = "14329";
pub const TAY_HOA_LU: &str = "14326";

/// A registry of three schools. Remembers the tokens that it was called with.
pub struct FakeRegistry {
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
    server: tokio::task::JoinHandle<()>,
}

impl FakeRegistry {
    pub async fn start() -> Self {
        let seen = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = SchoolServiceServer::new(Schools(Arc::clone(&seen)));
        let server = tonic::transport::Server::builder().add_service(service);
        let server = tokio::spawn(async move {
            server.serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))).await.unwrap();
        });
        Self { url, seen, server }
    }

    /// Tokens of the calls so far.
    pub fn tokens(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Goes away.
    pub fn stop(&self) {
        self.server.abort();
    }
}

struct Schools(Arc<Mutex<Vec<String>>>);

fn unused<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not part of this test"))
}

#[tonic::async_trait]
impl SchoolService for Schools {
    async fn get_school(&self, request: Request<GetSchoolRequest>) -> Result<Response<SchoolEntry>, Status> {
        let token = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned();
        self.0.lock().unwrap().push(token);
        let (commune, level, directly_managed) = match request.get_ref().school_code.as_str() {
            SCHOOL => (HOA_LU, Level::LowerSecondary, false),
            SECOND_SCHOOL => (HOA_LU, Level::Primary, false),
            THPT => (TAY_HOA_LU, Level::UpperSecondary, true),
            _ => return Err(Fault::new(Reason::SchoolNotFound).into()),
        };
        Ok(Response::new(SchoolEntry {
            school_code: request.into_inner().school_code,
            name: "Trường học".into(),
            level: level as i32,
            commune_code: commune.into(),
            province_code: "37".into(),
            directly_managed,
            independent_group: false,
        }))
    }

    async fn register_schools(
        &self,
        _: Request<RegisterSchoolsRequest>,
    ) -> Result<Response<RegisterSchoolsResponse>, Status> {
        unused()
    }

    async fn list_schools(
        &self,
        _: Request<ListSchoolsRequest>,
    ) -> Result<Response<ListSchoolsResponse>, Status> {
        unused()
    }

    async fn list_admin_units(
        &self,
        _: Request<ListAdminUnitsRequest>,
    ) -> Result<Response<ListAdminUnitsResponse>, Status> {
        unused()
    }
}
