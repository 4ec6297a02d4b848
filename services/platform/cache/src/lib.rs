//! A cache that may be lost, flushed, or filled with rubbish at any time: answers stay right, only slower
//! (design section 9: "Redis is only a cache").
//!
//! Two layers: a bounded one in the process, where concurrent reads of one key share one fetch, and Redis, shared by
//! the replicas. An entry in Redis is sealed (AES-256-GCM under a key that is derived for that entry) together with
//! its end of life: what was not written by this deployment, for this key, or is too old, does not open and counts
//! as absent; nor can somebody who reads Redis read pupils' data. Every Redis error counts as absent too.
//!
//! Redis is one server, the primary that Sentinels name, or a cluster ([`RedisSettings`]). A task of its own connects, and
//! connects again when Redis was lost or moved: no caller waits for that.
//!
//! ```no_run
//! # #[derive(Clone, PartialEq, prost::Message)] struct School {}
//! # async fn load(code: &str) -> Result<School, String> { Ok(School {}) }
//! # async fn example(key: &[u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! let redis = eduhub_cache::RedisSettings::parse("redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster", None)?;
//! let cache = eduhub_cache::Cache::connect(Some(&redis), "registry", key);
//! let school: School = cache.get_or_fetch("school/79000701", Duration::from_secs(60), load("79000701")).await?;
//! cache.invalidate("school/79000701").await;
//! # let _ = school; Ok(()) }
//! ```

mod address;
mod cache;
mod circuit;
mod entry;
mod form;
mod line;
pub mod metrics;
mod remote;
mod settings;

pub use cache::Cache;
pub use settings::{RedisMistakes, RedisSettings};
