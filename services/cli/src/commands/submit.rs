//! `eduhub submit`.
use super::connect::Connection;
use super::review::show::brief;
use super::values::{Dataset, Period};
use crate::output;
use eduhub_proto::approval::v1::SubmitRequest;
use eduhub_proto::approval::v1::submission_service_client::SubmissionServiceClient;
use eduhub_proto::common::v1 as common;
use uuid::Uuid;

/// Options of `eduhub submit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Approval service.
    #[arg(long, env = "EDUHUB_APPROVAL_URL")]
    approval_url: String,
    /// School.
    #[arg(long)]
    school: String,
    /// School year by its first year.
    #[arg(long)]
    year: i32,
    /// Reporting period.
    #[arg(long, value_enum)]
    period: Period,
    /// What to seal.
    #[arg(long, value_enum)]
    dataset: Dataset,
    /// Your statement that you have checked the data; it is recorded with your name.
    #[arg(long, default_value = "Tôi đã kiểm tra")]
    statement: String,
    /// Submit although records wait for others; they are not in the seal.
    #[arg(long)]
    accept_held: bool,
    /// Id for safe repetition; made when it is not given.
    #[arg(long)]
    id: Option<Uuid>,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.connection.server(&self.approval_url).await?;
        let id = self.id.unwrap_or_else(Uuid::now_v7);
        output::note(format!("submission {id}"));
        let request = SubmitRequest {
            submission_id: id.to_string(),
            school_code: self.school,
            school_year: self.year,
            period: common::Period::from(self.period) as i32,
            dataset: common::Dataset::from(self.dataset) as i32,
            checked_statement: self.statement,
            accept_held: self.accept_held,
        };
        let answer = SubmissionServiceClient::new(server.channel()?).submit(request).await?;
        brief(answer.get_ref());
        Ok(())
    }
}
