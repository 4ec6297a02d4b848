//! `eduhub review diff`.
use super::{Approval, Client, submission};
use crate::output::{self, number, word};
use anyhow::Context;
use eduhub_proto::approval::v1::{LastApprovedRequest, Submission};
use eduhub_proto::common::v1::{ChangeHeader, Dataset, DiffSealRequest, Kind};
use eduhub_proto::{facility::v1 as facility, registry::v1 as registry};

/// Options of `eduhub review diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Submission.
    id: String,
    /// Compare with the live data, not with the last approved seal.
    #[arg(long)]
    live: bool,
    /// At most so many records are shown.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Registry service.
    #[arg(long, env = "EDUHUB_REGISTRY_URL")]
    registry_url: Option<String>,
    /// Facility service.
    #[arg(long, env = "EDUHUB_FACILITY_URL")]
    facility_url: Option<String>,
    #[command(flatten)]
    approval: Approval,
}

/// One record that differs, from either service.
struct Differing {
    header: ChangeHeader,
    added: bool,
    removed: bool,
    /// Label, before, after.
    fields: Vec<(String, String, String)>,
}

/// The two services answer alike in types of their own.
macro_rules! differences {
    ($name:ident, $api:ident, $url:ident, $missing:literal) => {
        async fn $name(&self, mut request: DiffSealRequest) -> anyhow::Result<Vec<Differing>> {
            let server = self.approval.connection.server(self.$url.as_deref().context($missing)?).await?;
            let mut client = $api::seal_service_client::SealServiceClient::new(server.channel()?);
            let mut found = vec![];
            while found.len() <= self.limit {
                let page = client.diff_seal(request.clone()).await?.into_inner();
                found.extend(page.records.into_iter().map(|d| Differing {
                    header: d.header.unwrap_or_default(),
                    added: d.added,
                    removed: d.removed,
                    fields: d.fields.into_iter().map(|f| (f.label, f.before, f.after)).collect(),
                }));
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            Ok(found)
        }
    };
}

impl Args {
    differences!(of_registry, registry, registry_url, "give --registry-url or EDUHUB_REGISTRY_URL");
    differences!(of_facility, facility, facility_url, "give --facility-url or EDUHUB_FACILITY_URL");

    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.approval.server().await?;
        let mut client = Client::new(server.channel()?);
        let shown = submission(&mut client, &self.id).await?;
        let base = if self.live { None } else { last_approved(&mut client, &shown).await? };
        match (&base, self.live) {
            (Some(seal), _) => output::line(format!("against the approved seal {seal}")),
            (None, true) => output::line("against the live data"),
            (None, false) => output::line("nothing was approved yet: against the live data"),
        }
        let seal_id = shown.seal.as_ref().map(|s| s.seal_id.clone()).context("the submission has no seal")?;
        let request =
            DiffSealRequest { seal_id, base_seal_id: base.unwrap_or_default(), ..DiffSealRequest::default() };
        let found = if shown.dataset() == Dataset::Facilities {
            self.of_facility(request).await?
        } else {
            self.of_registry(request).await?
        };
        self.tell(&found);
        Ok(())
    }

    fn tell(&self, found: &[Differing]) {
        for d in found.iter().take(self.limit) {
            let kind = word(Kind::try_from(d.header.kind).unwrap_or_default().as_str_name(), "KIND_");
            let sign = if d.added {
                "+"
            } else if d.removed {
                "-"
            } else {
                "~"
            };
            output::line(format!("{sign} {kind} {}", d.header.record_key));
            for (label, before, after) in &d.fields {
                output::line(format!("    {label}: {} -> {}", shown(before), shown(after)));
            }
        }
        match found.len() {
            0 => output::line("no difference"),
            n if n > self.limit => {
                output::line(format!("... more than {} records differ", number(self.limit as u64)))
            }
            n => output::line(format!("{} records differ", number(n as u64))),
        }
    }
}

/// Absent and masked values look the same: nothing.
fn shown(value: &str) -> &str {
    if value.is_empty() { "(không có)" } else { value }
}

async fn last_approved(client: &mut Client, s: &Submission) -> anyhow::Result<Option<String>> {
    let request = LastApprovedRequest {
        school_code: s.school_code.clone(),
        school_year: s.school_year,
        dataset: s.dataset,
    };
    let found = client.last_approved(request).await?.into_inner().found;
    Ok(found.filter(|f| f.submission_id != s.submission_id).map(|f| f.seal_id))
}
