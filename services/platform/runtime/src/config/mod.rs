//! Settings from the environment and an optional TOML file, all mistakes reported at once.
//!
//! ```
//! use eduhub_runtime::config::{DbSettings, Reader, ServerConfig};
//!
//! struct Config { server: ServerConfig, db: DbSettings, school_year: String, page: u32 }
//!
//! fn read(mut r: Reader) -> Result<Config, eduhub_runtime::config::Mistakes> {
//!     let server = ServerConfig::read(&mut r);
//!     let db = DbSettings::read(&mut r);
//!     let school_year = r.required::<String>("SCHOOL_YEAR");
//!     let page = r.or("PAGE_SIZE", 500); // a screenful of pupils; see decisions/0003
//!     r.finish(|| Some(Config { server, db: db?, school_year: school_year?, page }))
//! }
//!
//! let mistakes = read(Reader::from_pairs("EDUHUB_REGISTRY", [("EDUHUB_PAGE_SIZE", "many")])).err().unwrap();
//! assert!(mistakes.to_string().contains("EDUHUB_REGISTRY_DATABASE_URL"));
//! assert!(mistakes.to_string().contains("EDUHUB_PAGE_SIZE"));
//! ```

mod db;
mod file;
mod mistakes;
mod reader;
mod server;
mod tls;

pub use db::DbSettings;
pub use mistakes::Mistakes;
pub use reader::Reader;
pub use server::{ServerConfig, ServerLimits};
pub use tls::TlsConfig;
