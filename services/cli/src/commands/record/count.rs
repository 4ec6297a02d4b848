//! `eduhub record count`.
use super::{Registry, read::Filter};
use crate::commands::values::kind;
use crate::output::{self, number};
use eduhub_proto::common::v1::{CountBy, CountRecordsRequest, Kind};

/// Options of `eduhub record count`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kind, e.g. enrolment.
    #[arg(value_parser = kind)]
    kind: Kind,
    /// By what, at most three: school, class, grade, sex, ethnicity, status, staff-group, school-year.
    #[arg(long, value_delimiter = ',', value_parser = by)]
    by: Vec<CountBy>,
    /// Only this school; without it all schools that you may see.
    #[arg(long, default_value = "", hide_default_value = true)]
    school: String,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    registry: Registry,
}

/// A way to count by its name without prefix.
fn by(text: &str) -> Result<CountBy, String> {
    let name = format!("COUNT_BY_{}", text.to_uppercase().replace('-', "_"));
    let known = CountBy::from_str_name(&name).filter(|by| *by != CountBy::Unspecified);
    known.ok_or_else(|| {
        "one of school, class, grade, sex, ethnicity, status, staff-group, room-type, school-year".to_owned()
    })
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let request = CountRecordsRequest {
            school_code: self.school,
            kind: self.kind as i32,
            filter: Some(self.filter.into()),
            by: self.by.iter().map(|by| *by as i32).collect(),
        };
        let answer = self.registry.records().await?.count_records(request).await?.into_inner();
        for cell in &answer.counts {
            if !cell.values.is_empty() {
                output::line(format!("{}\t{}", cell.values.join("\t"), number(cell.count)));
            }
        }
        output::line(format!("total\t{}", number(answer.total)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_count_by_name() {
        assert_eq!(by("class"), Ok(CountBy::Class));
        assert_eq!(by("staff-group"), Ok(CountBy::StaffGroup));
        assert!(by("unspecified").is_err() && by("height").is_err());
    }
}
