//! `eduhub record get` and `eduhub record list`.
use super::{Registry, print};
use crate::commands::values::kind;
use crate::output;
use eduhub_proto::common::v1::{BatchGetRecordsRequest, Kind, ListRecordsRequest, RecordFilter, RecordName};

/// Names in one call.
const CALL: usize = 500;

/// Options of `eduhub record get`.
#[derive(Debug, clap::Args)]
pub struct GetArgs {
    /// School.
    school: String,
    /// Kind, e.g. pupil.
    #[arg(value_parser = kind)]
    kind: Kind,
    /// Keys within the school; yearly kinds as 2026/6A1.
    #[arg(required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    registry: Registry,
}

impl GetArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut client = self.registry.records().await?;
        let mut absent = vec![];
        for keys in self.keys.chunks(CALL) {
            let names = keys.iter().map(|key| RecordName { kind: self.kind as i32, record_key: key.clone() });
            let school_code = self.school.clone();
            let request = BatchGetRecordsRequest { school_code, names: names.collect(), as_of: None };
            let answer = client.batch_get_records(request).await?.into_inner();
            print(&answer.records)?;
            absent.extend(answer.absent.into_iter().map(|name| name.record_key));
        }
        anyhow::ensure!(absent.is_empty(), "not there: {}", absent.join(", "));
        Ok(())
    }
}

/// Options of `eduhub record list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// School.
    school: String,
    /// Kind, e.g. enrolment.
    #[arg(value_parser = kind)]
    kind: Kind,
    #[command(flatten)]
    filter: Filter,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    #[command(flatten)]
    registry: Registry,
}

/// Which records.
#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only this school year.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    school_year: i32,
    /// Only this class.
    #[arg(long, default_value = "", hide_default_value = true)]
    class: String,
    /// Only this grade.
    #[arg(long, default_value = "", hide_default_value = true)]
    grade: String,
    /// Only this status.
    #[arg(long, default_value = "", hide_default_value = true)]
    status: String,
    /// Only this sex.
    #[arg(long, default_value = "", hide_default_value = true)]
    sex: String,
    /// Only this ethnicity.
    #[arg(long, default_value = "", hide_default_value = true)]
    ethnicity: String,
    /// Only this pupil.
    #[arg(long, default_value = "", hide_default_value = true)]
    student: String,
}

impl From<Filter> for RecordFilter {
    fn from(filter: Filter) -> Self {
        Self {
            school_year: filter.school_year,
            class_code: filter.class,
            grade: filter.grade,
            status: filter.status,
            sex: filter.sex,
            ethnicity: filter.ethnicity,
            student_code: filter.student,
            ..Self::default()
        }
    }
}

impl ListArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut client = self.registry.records().await?;
        let mut request = ListRecordsRequest {
            school_code: self.school,
            kind: self.kind as i32,
            filter: Some(self.filter.into()),
            ..ListRecordsRequest::default()
        };
        let mut left = self.limit;
        while left > 0 {
            request.page_size = i32::try_from(left.min(1_000))?;
            let page = client.list_records(request.clone()).await?.into_inner();
            print(&page.records)?;
            left -= page.records.len().min(left);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(());
            }
        }
        output::note(format!("there are more than {}", self.limit));
        Ok(())
    }
}
