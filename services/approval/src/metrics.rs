//! How far the campaign is.
use std::collections::BTreeMap;

use eduhub_pg::{Figure, Question};
use eduhub_proto::approval::v1::SubmissionState;
use eduhub_proto::common::v1::{Dataset, Period};
use eduhub_runtime::meter::{Instrument, KeyValue, Metric};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Submissions.
pub const SUBMISSIONS: Metric = Metric {
    name: "eduhub.approval.submissions",
    instrument: Instrument::Gauge,
    unit: "{submission}",
    about: "Last submissions of the newest school year by dataset, period and state, one for each school that submitted",
    labels: &["dataset", "period", "state"],
};

/// Waiting reviews.
pub const OLDEST_REVIEW: Metric = Metric {
    name: "eduhub.approval.review.age",
    instrument: Instrument::Gauge,
    unit: "s",
    about: "Age of the oldest submission of a dataset that is under review",
    labels: &["dataset"],
};

/// The table.
pub const METRICS: &[Metric] = &[SUBMISSIONS, OLDEST_REVIEW];

/// The questions.
pub fn questions() -> Vec<Question> {
    // A campaign is over within half a year: older ones are not read again each time.
    let sql = "with recent as (
                 select distinct on (school_code, school_year, period, dataset)
                   school_year, dataset, period, state, submitted_at
                 from submission where submitted_at > now() - interval '200 days'
                 order by school_code, school_year, period, dataset, cycle desc)
               select dataset, period, state, count(*)::float8,
                 extract(epoch from clock_timestamp() - min(submitted_at))::float8
               from recent where school_year = (select max(school_year) from recent) group by 1, 2, 3";
    vec![Question { metrics: METRICS, sql: sql.to_owned(), read: Box::new(read) }]
}

fn read(rows: &[PgRow]) -> Result<Vec<Figure>, sqlx::Error> {
    let mut figures = Vec::with_capacity(rows.len());
    let mut oldest = BTreeMap::<&str, f64>::new();
    for row in rows {
        let number = |column: usize| Ok::<_, sqlx::Error>(i32::from(row.try_get::<i16, _>(column)?));
        let dataset = Dataset::try_from(number(0)?).unwrap_or_default().as_str_name();
        let dataset = dataset.strip_prefix("DATASET_").unwrap_or(dataset);
        let period = Period::try_from(number(1)?).unwrap_or_default().as_str_name();
        let state = SubmissionState::try_from(number(2)?).unwrap_or_default();
        let labels = [
            KeyValue::new("dataset", dataset),
            KeyValue::new("period", period.strip_prefix("PERIOD_").unwrap_or(period)),
            KeyValue::new("state", state.as_str_name().trim_start_matches("SUBMISSION_STATE_")),
        ];
        figures.push(Figure::new(SUBMISSIONS, labels, row.try_get(3)?));
        if state == SubmissionState::InReview {
            let age = oldest.entry(dataset).or_default();
            *age = age.max(row.try_get(4)?);
        }
    }
    let ages = oldest.into_iter().map(|(dataset, age)| (KeyValue::new("dataset", dataset), age));
    figures.extend(ages.map(|(label, age)| Figure::new(OLDEST_REVIEW, [label], age)));
    Ok(figures)
}
