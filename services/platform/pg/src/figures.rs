//! Figures that only the database knows: depths, ages, backlogs.
use crate::DbError;
use eduhub_runtime::meter::{self, KeyValue, Metric};
use sqlx::{AssertSqlSafe, Connection, PgPool, postgres::PgRow};
use std::sync::{Arc, Mutex, PoisonError};

/// A figure that costs more than this is not worth it.
const PATIENCE: &str = "set local statement_timeout = '2s'";

/// One value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Which metric.
    pub metric: Metric,
    /// Its labels.
    pub labels: Vec<KeyValue>,
    /// Its value.
    pub value: f64,
}

impl Figure {
    /// A figure.
    pub fn new(metric: Metric, labels: impl Into<Vec<KeyValue>>, value: f64) -> Self {
        Self { metric, labels: labels.into(), value }
    }
}

/// What the rows of an answer say.
pub type Reading = Box<dyn FnMut(&[PgRow]) -> Result<Vec<Figure>, sqlx::Error> + Send>;

/// A statement and what its answer says. It is asked by every replica: it must stand on an index.
pub struct Question {
    /// Metrics that it gives values of.
    pub metrics: &'static [Metric],
    /// The statement, without parameters.
    pub sql: String,
    /// Reads the answer.
    pub read: Reading,
}

/// Asks these questions for as long as the pool is open and metrics are taken, and shows the answers. A question that fails has no
/// figures until it is answered again: an old figure would look like a quiet one.
pub async fn figures(pool: PgPool, questions: Vec<Question>) {
    let Some(every) = meter::period() else { return };
    let mut asked: Vec<(Question, Answer)> = questions.into_iter().map(|q| (show(&q), q)).map(swap).collect();
    let mut clock = tokio::time::interval(every);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        for (question, answer) in &mut asked {
            let found = ask(&pool, question).await;
            if pool.is_closed() {
                return;
            }
            if let Err(error) = &found {
                let metric = question.metrics.first().map_or("", |m| m.name);
                tracing::warn!(%error, metric, "a figure can't be had");
            }
            *answer.lock().unwrap_or_else(PoisonError::into_inner) = found.unwrap_or_default();
        }
    }
}

type Answer = Arc<Mutex<Vec<Figure>>>;

fn swap((answer, question): (Answer, Question)) -> (Question, Answer) {
    (question, answer)
}

/// Shows the last answer of a question whenever metrics are taken.
fn show(question: &Question) -> Answer {
    let answer = Answer::default();
    for metric in question.metrics {
        let (answer, metric) = (answer.clone(), *metric);
        metric.observe(move |gauge| {
            let figures = answer.lock().unwrap_or_else(PoisonError::into_inner);
            for figure in figures.iter().filter(|f| f.metric == metric) {
                gauge.observe(figure.value, &figure.labels);
            }
        });
    }
    answer
}

/// Asks once. Reads only, so that it holds back no feed.
///
/// # Errors
/// The database's; a statement that takes longer than 2 s.
pub async fn ask(pool: &PgPool, question: &mut Question) -> Result<Vec<Figure>, DbError> {
    let mut conn = pool.acquire().await?;
    let mut tx = conn.begin().await?;
    sqlx::query(PATIENCE).execute(&mut *tx).await?;
    let rows = sqlx::query(AssertSqlSafe(question.sql.as_str())).fetch_all(&mut *tx).await?;
    tx.rollback().await?;
    Ok((question.read)(&rows)?)
}
