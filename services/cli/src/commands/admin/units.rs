//! `eduhub admin units`.
use crate::commands::registry::Registry;
use crate::output;
use eduhub_proto::registry::v1::{
    AdminUnit, ConvertAdminUnitsRequest, ConvertedAdminUnit, ListAdminUnitsRequest, UnitChange,
};

/// Codes that one call converts.
const AT_ONCE: usize = 500;

/// Commands about administrative units.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Where units of before July 2025 went.
    Convert(Convert),
    /// Communes of a province, today or on a day before July 2025.
    List(List),
}

/// Options of `eduhub admin units convert`.
#[derive(Debug, clap::Args)]
pub struct Convert {
    /// Codes of communes (5 digits), districts (3) or provinces (2).
    #[arg(required = true)]
    codes: Vec<String>,
    #[command(flatten)]
    registry: Registry,
}

/// Options of `eduhub admin units list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Province, two digits.
    #[arg(long, default_value = "37")]
    province: String,
    /// As they were on this day, YYYY-MM-DD.
    #[arg(long, default_value = "")]
    on: String,
    #[command(flatten)]
    registry: Registry,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Convert(args) => args.run().await,
            Command::List(args) => args.run().await,
        }
    }
}

impl Convert {
    async fn run(self) -> anyhow::Result<()> {
        let mut client = self.registry.schools().await?;
        for codes in self.codes.chunks(AT_ONCE) {
            let request = ConvertAdminUnitsRequest { codes: codes.to_vec() };
            let units = client.convert_admin_units(request).await?.into_inner().units;
            units.iter().map(converted).for_each(output::line);
        }
        Ok(())
    }
}

/// What became of a unit, one line.
pub fn converted(unit: &ConvertedAdminUnit) -> String {
    let Some(former) = &unit.former else { return format!("{}: no unit of before July 2025", unit.code) };
    let parts = unit.successors.iter().map(|s| {
        let place = s.unit.clone().unwrap_or_default();
        let code = if place.commune_code.is_empty() { place.province_code } else { place.commune_code };
        let how = if s.change() == UnitChange::Whole { "" } else { " (in part)" };
        format!("{code} {}{how}", place.name)
    });
    let now = parts.collect::<Vec<_>>().join("; ");
    let now = if now.is_empty() { "not known: the sources disagree".to_owned() } else { now };
    format!("{} {}: {now}", unit.code, place(former))
}

fn place(unit: &AdminUnit) -> String {
    let mut names = vec![unit.name.as_str(), unit.district_name.as_str(), unit.province_name.as_str()];
    names.retain(|name| !name.is_empty());
    names.dedup();
    names.join(", ")
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let request = ListAdminUnitsRequest { province_code: self.province, on: self.on };
        let units = self.registry.schools().await?.list_admin_units(request).await?.into_inner().units;
        let row = |u: &AdminUnit| {
            vec![u.commune_code.clone(), u.name.clone(), u.district_code.clone(), u.district_name.clone()]
        };
        output::table(&["code", "name", "district", "name of the district"], units.iter().map(row).collect());
        Ok(())
    }
}
