//! Postgres as every EduHub service uses it.
//!
//! - [`connect`]: a bounded pool whose connections carry explicit time limits;
//! - [`in_tx`]: a transaction in a task of its own, which a caller's disconnect can't cut in the middle;
//! - [`CopyRows`]: many new rows at once;
//! - [`migrate`] and [`check_schema`]: forward-only migrations, and a binary that runs only on a schema that is made for it;
//! - [`figures`]: depths, ages and backlogs as metrics;
//! - [`DbError`]: what a statement's failure means, without the data that caused it; [`Failure`]: that, or a refusal.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use eduhub_pg::{DbError, PgConnection};
//! # async fn rename(c: &mut PgConnection, id: i64, name: &str) -> Result<u64, DbError> { Ok(0) }
//! # async fn example(pool: &eduhub_pg::PgPool) -> Result<(), DbError> {
//! let name = "Trường THPT Nguyễn Trãi".to_owned();
//! let changed = eduhub_pg::in_tx(pool, Duration::from_secs(5), |conn| {
//!     Box::pin(async move { rename(conn, 7, &name).await })
//! })
//! .await?;
//! # let _ = changed; Ok(()) }
//! ```

mod compatibility;
mod connect;
mod copy;
mod embedded;
mod failure;
mod fault;
mod figures;
pub mod metrics;
mod schema;
mod transaction;

pub use compatibility::oldest_binary;
pub use connect::{connect, is_up};
pub use copy::CopyRows;
pub use eduhub_runtime::config::DbSettings;
pub use embedded::{MigrationFile, migrator};
pub use failure::{DbError, RetryCause};
pub use fault::Failure;
pub use figures::{Figure, Question, Reading, ask, figures};
pub use schema::{SchemaError, Standing, check_schema, migrate};
pub use sqlx::migrate::Migrator;
pub use sqlx::{PgConnection, PgPool};
pub use transaction::{TxFuture, in_tx};
