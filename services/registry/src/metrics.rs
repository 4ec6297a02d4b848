//! What only registry knows of its state.
use eduhub_pg::{Figure, Question};
use eduhub_proto::common::v1::Level;
use eduhub_runtime::meter::{Instrument, KeyValue, Metric};
use sqlx::{Row, postgres::PgRow};

/// Persons that are counted at most: counting more would cost more than it tells.
const COUNTED: i64 = 100_000;

/// Verification that is still to be done.
pub const BACKLOG: Metric = Metric {
    name: "eduhub.verification.backlog",
    instrument: Instrument::Gauge,
    unit: "{person}",
    about: "Persons whose ID number waits for the population database's answer, counted up to 100,000",
    labels: &[],
};

/// How far verification is behind the log.
pub const LAG: Metric = Metric {
    name: "eduhub.verification.lag",
    instrument: Instrument::Gauge,
    unit: "s",
    about: "Age of the first change that verification has not looked at",
    labels: &[],
};

/// Registered schools.
pub const SCHOOLS: Metric = Metric {
    name: "eduhub.registry.schools",
    instrument: Instrument::Gauge,
    unit: "{school}",
    about: "Schools that the Department registered",
    labels: &["level"],
};

/// The table.
pub const METRICS: &[Metric] = &[BACKLOG, LAG, SCHOOLS];

/// The questions, those of the feed included.
pub fn questions() -> Vec<Question> {
    let mut all = eduhub_feed::metrics::questions();
    all.extend([backlog(), lag(), schools()]);
    all
}

/// The one value of the first row.
fn value(metric: Metric, row: Option<&PgRow>) -> Result<Vec<Figure>, sqlx::Error> {
    row.map(|row| Ok(Figure::new(metric, [], row.try_get::<f64, _>(0)?.max(0.0)))).into_iter().collect()
}

fn backlog() -> Question {
    let sql = format!(
        "select count(*)::float8 from (select from verification where state = 1 limit {COUNTED}) pending"
    );
    Question { metrics: &[BACKLOG], sql, read: Box::new(|rows| value(BACKLOG, rows.first())) }
}

fn lag() -> Question {
    let sql = "select coalesce(extract(epoch from clock_timestamp() - l.changed_at), 0)::float8
               from verification_cursor c
               left join lateral (select changed_at from change_log where (xid, seq) > (c.xid, c.seq)
                                  order by xid, seq limit 1) l on true";
    Question { metrics: &[LAG], sql: sql.to_owned(), read: Box::new(|rows| value(LAG, rows.first())) }
}

fn schools() -> Question {
    let figure = |row: &PgRow| {
        let level = Level::try_from(i32::from(row.try_get::<i16, _>(0)?)).unwrap_or_default().as_str_name();
        let level = level.strip_prefix("LEVEL_").unwrap_or(level);
        Ok(Figure::new(SCHOOLS, [KeyValue::new("level", level)], row.try_get(1)?))
    };
    Question {
        metrics: &[SCHOOLS],
        sql: "select level, count(*)::float8 from school group by level".to_owned(),
        read: Box::new(move |rows| rows.iter().map(figure).collect()),
    }
}
