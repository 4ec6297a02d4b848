//! What is measured of a feed.
use crate::head::Heads;
use eduhub_pg::{Figure, Question};
use eduhub_runtime::meter::{Histogram, Instrument, KeyValue, Metric, UpDownCounter};
use sqlx::{Row, postgres::PgRow};
use std::time::Instant;
use time::OffsetDateTime;

/// From the next poll to a stalled consumer.
const DELAY: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Subscriptions that are shown: those furthest behind.
const SHOWN: i32 = 100;

/// Watch streams.
pub const STREAMS: Metric = Metric {
    name: "eduhub.feed.streams",
    instrument: Instrument::UpDown,
    unit: "{stream}",
    about: "Watch streams that are open now",
    labels: &[],
};

/// Delay of delivery.
pub const DELAY_OF_DELIVERY: Metric = Metric {
    name: "eduhub.feed.delivery.delay",
    instrument: Instrument::Histogram(&DELAY),
    unit: "s",
    about: "Messages to consumers who follow the head, and how old their newest change was when it was handed over",
    labels: &[],
};

/// What is held back.
pub const HELD_BACK: Metric = Metric {
    name: "eduhub.feed.held_back",
    instrument: Instrument::Gauge,
    unit: "s",
    about: "Age of the first committed change that consumers wait for: an older transaction is open, and no more is sent ahead of it",
    labels: &[],
};

/// What holds it back.
pub const OLDEST_TRANSACTION: Metric = Metric {
    name: "eduhub.feed.oldest_transaction",
    instrument: Instrument::Gauge,
    unit: "s",
    about: "Age of the oldest open transaction that writes: it holds the horizon of every feed of the cluster",
    labels: &[],
};

/// Consumers with stored subscriptions.
pub const SUBSCRIPTION_LAG: Metric = Metric {
    name: "eduhub.feed.subscription.lag",
    instrument: Instrument::Gauge,
    unit: "s",
    about: "Age of the first change that a stored subscription has not acknowledged; the hundred furthest behind",
    labels: &["owner", "subscription"],
};

/// The table.
pub const METRICS: &[Metric] = &[STREAMS, DELAY_OF_DELIVERY, HELD_BACK, OLDEST_TRANSACTION, SUBSCRIPTION_LAG];

/// The instruments of the streams.
pub(crate) struct Measured {
    streams: UpDownCounter<i64>,
    delay: Histogram<f64>,
}

impl Measured {
    pub fn new(heads: Heads) -> Self {
        HELD_BACK.observe(move |gauge| {
            if let Some(seen) = &*heads.borrow() {
                gauge.observe(seen.lag_ms() as f64 / 1_000.0, &[]);
            }
        });
        Self { streams: STREAMS.up_down(), delay: DELAY_OF_DELIVERY.histogram() }
    }

    /// Counts a stream until it is dropped.
    pub fn stream(&self) -> Open {
        self.streams.add(1, &[]);
        Open(self.streams.clone())
    }

    /// A message was handed over whose newest change is of this time.
    pub fn delivered(&self, changed_at: OffsetDateTime) {
        self.delay.record((OffsetDateTime::now_utc() - changed_at).as_seconds_f64().max(0.0), &[]);
    }
}

/// An open stream.
pub(crate) struct Open(UpDownCounter<i64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.add(-1, &[]);
    }
}

/// What the database knows of consumers and of what holds them back; for `eduhub_pg::figures`.
pub fn questions() -> Vec<Question> {
    vec![subscriptions(), oldest_transaction()]
}

fn subscriptions() -> Question {
    let sql = format!(
        "select s.owner, s.name, coalesce(extract(epoch from clock_timestamp() - c.changed_at), 0)::float8
         from (select * from feed_subscription order by xid, seq limit {SHOWN}) s
         left join lateral (select l.changed_at from change_log l where (l.xid, l.seq) > (s.xid, s.seq)
                            order by l.xid, l.seq limit 1) c on true"
    );
    let figure = |row: &PgRow| {
        let labels = [
            KeyValue::new("owner", row.try_get::<String, _>(0)?),
            KeyValue::new("subscription", row.try_get::<String, _>(1)?),
        ];
        Ok(Figure::new(SUBSCRIPTION_LAG, labels, row.try_get::<f64, _>(2)?.max(0.0)))
    };
    Question {
        metrics: &[SUBSCRIPTION_LAG],
        sql,
        read: Box::new(move |rows| rows.iter().map(figure).collect()),
    }
}

/// Other roles' transactions show no age to this one. Their horizon it sees, so what stands still from one look to the next is
/// taken to be as old as the first look.
fn oldest_transaction() -> Question {
    let sql = "select pg_snapshot_xmin(s)::text::int8, pg_snapshot_xmax(s)::text::int8,
                 (select max(extract(epoch from clock_timestamp() - xact_start))::float8 from pg_stat_activity
                  where backend_xid is not null)
               from pg_current_snapshot() s";
    let mut stands: Option<(i64, Instant)> = None;
    let read = move |rows: &[PgRow]| {
        let Some(row) = rows.first() else { return Ok(vec![]) };
        let (horizon, next): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let since = match stands.filter(|(seen, _)| *seen == horizon) {
            Some((_, since)) => since,
            None => Instant::now(),
        };
        stands = Some((horizon, since));
        let own: f64 = row.try_get::<Option<f64>, _>(2)?.unwrap_or_default();
        let age = if horizon < next { own.max(since.elapsed().as_secs_f64()) } else { 0.0 };
        Ok(vec![Figure::new(OLDEST_TRANSACTION, [], age)])
    };
    Question { metrics: &[OLDEST_TRANSACTION], sql: sql.to_owned(), read: Box::new(read) }
}
