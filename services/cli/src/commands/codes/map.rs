//! `eduhub codes map`.
use super::{Registry, file};
use crate::output;
use eduhub_proto::registry::v1::{CodeMapping, ListCodeMappingsRequest, SetCodeMappingRequest};
use std::path::PathBuf;

/// Options of `eduhub codes map`. Without --file it shows the tables in force.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Vendor or one of its products, e.g. SMAS.
    #[arg(long, required_unless_present = "list")]
    vendor: Option<String>,
    /// Name of the list, e.g. DM_GIOI_TINH.
    #[arg(long, required_unless_present = "vendor")]
    list: Option<String>,
    /// File with the whole table: the columns value (Giá trị của phần mềm) and code (Mã).
    #[arg(long, requires = "vendor", requires = "list")]
    file: Option<PathBuf>,
    /// Take the table away.
    #[arg(long, requires = "vendor", requires = "list", conflicts_with = "file")]
    remove: bool,
    /// Why.
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    registry: Registry,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (vendor_code, list) =
            (self.vendor.clone().unwrap_or_default(), self.list.clone().unwrap_or_default());
        if self.file.is_some() || self.remove {
            let entries = self.file.as_deref().map(file::mapping).transpose()?.unwrap_or_default();
            let note = self.note.clone();
            let request = SetCodeMappingRequest { vendor_code, list, entries, note };
            let set = self.registry.codes().await?.set_code_mapping(request).await?.into_inner();
            output::line(head(&set));
            return Ok(());
        }
        let request = ListCodeMappingsRequest { vendor_code, list, version: 0 };
        let tables = self.registry.codes().await?.list_code_mappings(request).await?.into_inner().mappings;
        if tables.is_empty() {
            output::line("none");
        }
        for table in &tables {
            output::line(head(table));
            let row =
                |e: &eduhub_proto::registry::v1::CodeMappingEntry| vec![e.value.clone(), e.code.clone()];
            output::table(&["value", "code"], table.entries.iter().map(row).collect());
        }
        Ok(())
    }
}

fn head(table: &CodeMapping) -> String {
    let CodeMapping { vendor_code, list, entries, vendor_version, .. } = table;
    format!("{list}: {} values; push with --code-mapping {vendor_code}@{vendor_version}", entries.len())
}
