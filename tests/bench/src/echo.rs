//! The yardstick of reading: a bare tonic server with TLS that answers every `GetRecord` with the same record.
use crate::record::load;
use anyhow::{Context, Result};
use eduhub_proto::{
    common::v1::{
        BatchGetRecordsRequest, CountRecordsRequest, CountRecordsResponse, GetPositionRequest,
        GetRecordHistoryRequest, GetRecordRequest, ListRecordsRequest, LogPosition, SearchRecordsRequest,
    },
    registry::v1::{
        BatchGetRecordsResponse, Change, HistoryPage, RecordPage, SearchRecordsResponse,
        record_service_server::{RecordService, RecordServiceServer},
    },
};
use eduhub_stack::{Launch, Process, Warden};
use prost::Message;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// First argument of this program when it is to be the server.
pub const ARGUMENT: &str = "echo";
const NAME: &str = "eduhub-bench-echo";

struct Echo(Change);

#[tonic::async_trait]
impl RecordService for Echo {
    async fn get_record(&self, _: Request<GetRecordRequest>) -> Result<Response<Change>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn list_records(&self, _: Request<ListRecordsRequest>) -> Result<Response<RecordPage>, Status> {
        Err(Status::unimplemented("an echo has no pages"))
    }

    async fn batch_get_records(
        &self,
        _: Request<BatchGetRecordsRequest>,
    ) -> Result<Response<BatchGetRecordsResponse>, Status> {
        Err(Status::unimplemented("an echo has one record"))
    }

    async fn get_history(
        &self,
        _: Request<GetRecordHistoryRequest>,
    ) -> Result<Response<HistoryPage>, Status> {
        Err(Status::unimplemented("an echo has no history"))
    }

    async fn count_records(
        &self,
        _: Request<CountRecordsRequest>,
    ) -> Result<Response<CountRecordsResponse>, Status> {
        Err(Status::unimplemented("an echo has nothing to count"))
    }

    async fn search_records(
        &self,
        _: Request<SearchRecordsRequest>,
    ) -> Result<Response<SearchRecordsResponse>, Status> {
        Err(Status::unimplemented("an echo has nobody to find"))
    }

    async fn get_position(&self, _: Request<GetPositionRequest>) -> Result<Response<LogPosition>, Status> {
        Err(Status::unimplemented("an echo has no log"))
    }
}

/// Serves until killed: arguments are certificate, key and the file of the answer.
///
/// # Errors
/// When it can't listen.
pub async fn serve(cert: &Path, key: &Path, answer: &Path) -> Result<()> {
    let change = Change::decode(std::fs::read(answer)?.as_slice())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut out = std::io::stdout();
    writeln!(out, "{NAME} ready grpc={address} load={}", load().replace(' ', "/"))?;
    out.flush()?;
    let identity = Identity::from_pem(std::fs::read(cert)?, std::fs::read(key)?);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .tls_config(ServerTlsConfig::new().identity(identity))?
        .add_service(RecordServiceServer::new(Echo(change)))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

/// The server as a process of its own. Ends with this value.
pub struct Running {
    process: Process,
    /// Where it listens.
    pub url: String,
}

impl Running {
    /// Starts it with the answer that it is to give.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        dir: &Path,
        certs: (PathBuf, PathBuf),
        answer: &Change,
        warden: &Arc<Warden>,
    ) -> Result<Self> {
        let file = dir.join("echo.answer");
        std::fs::write(&file, answer.encode_to_vec())?;
        let launch = Launch {
            name: NAME.to_owned(),
            program: std::env::current_exe()?,
            args: vec![ARGUMENT.into(), certs.0.into(), certs.1.into(), file.into()],
            env: vec![],
            log: dir.join("echo.log"),
        };
        let process = Process::start(launch, Duration::from_secs(10), warden).await?;
        let address = process.announced().get("grpc").context("the echo said no address")?;
        let port = address.rsplit(':').next().context("no port")?;
        let url = format!("https://localhost:{port}");
        Ok(Self { process, url })
    }

    /// Its process id.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }
}
