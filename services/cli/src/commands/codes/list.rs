//! `eduhub codes list`.
use super::Registry;
use crate::commands::values::moment;
use crate::output;
use eduhub_proto::registry::v1::{CodeListVersion, ListCodeListVersionsRequest};
use std::collections::BTreeMap;

/// Options of `eduhub codes list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// All versions of this list instead of the newest of each.
    #[arg(long)]
    list: Option<String>,
    #[command(flatten)]
    registry: Registry,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut client = self.registry.codes().await?;
        let (mut versions, mut page_token) = (vec![], String::new());
        loop {
            let list = self.list.clone().unwrap_or_default();
            let request = ListCodeListVersionsRequest { list, page_size: 500, page_token };
            let page = client.list_code_list_versions(request).await?.into_inner();
            versions.extend(page.versions);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if self.list.is_none() {
            // Newest first: the first of each list is its newest.
            let mut newest: BTreeMap<String, CodeListVersion> = BTreeMap::new();
            for version in versions {
                newest.entry(version.list.clone()).or_insert(version);
            }
            versions = newest.into_values().collect();
        }
        let heads = ["list", "version", "when", "codes", "new", "changed", "ended", "by", "note"];
        output::table(&heads, versions.iter().map(row).collect());
        Ok(())
    }
}

fn row(v: &CodeListVersion) -> Vec<String> {
    vec![
        v.list.clone(),
        v.version.to_string(),
        moment(v.changed_at.as_ref()),
        v.codes.to_string(),
        v.added.to_string(),
        v.changed.to_string(),
        v.ended.to_string(),
        v.changed_by.clone(),
        v.note.clone(),
    ]
}
