//! `eduhub record history`.
use super::Registry;
use crate::commands::values::{kind, moment};
use crate::output::{self, word};
use eduhub_proto::common::v1::{GetRecordHistoryRequest, Kind};
use eduhub_proto::registry::v1::RecordVersion;

/// Options of `eduhub record history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// School.
    school: String,
    /// Kind, e.g. pupil.
    #[arg(value_parser = kind)]
    kind: Kind,
    /// Key within the school; yearly kinds as 2026/6A1.
    key: String,
    #[command(flatten)]
    registry: Registry,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut client = self.registry.records().await?;
        let mut request = GetRecordHistoryRequest {
            school_code: self.school,
            kind: self.kind as i32,
            record_key: self.key,
            ..GetRecordHistoryRequest::default()
        };
        loop {
            let page = client.get_history(request.clone()).await?.into_inner();
            page.versions.iter().for_each(show);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(());
            }
        }
    }
}

fn show(version: &RecordVersion) {
    let header = version.header.clone().unwrap_or_default();
    let detail = version.detail.clone().unwrap_or_default();
    let by = if detail.actor.is_empty() { String::new() } else { format!("  by {}", detail.actor) };
    let op = word(header.op().as_str_name(), "CHANGE_OP_");
    output::line(format!("{}  {}  {op}{by}", header.version, moment(header.changed_at.as_ref())));
    for field in detail.fields {
        output::line(format!("    {}: {} -> {}", field.label, field.before, field.after));
    }
}
