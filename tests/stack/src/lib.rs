//! The whole of EduHub as real child processes, on loopback, with TLS: for the demo, for development and for
//! black-box tests.
//!
//! [`Stack::start`] makes certificates ([`Certs`]), secrets ([`Secrets`]) and a database with one role per service
//! ([`Database`]), migrates, starts the five services and the simulators of the outside systems, and returns once
//! each has said that it is ready. Nothing outlives the [`Stack`]: not on drop, and not when the process that holds
//! it is killed (see [`Warden`]).
//!
//! ```no_run
//! # async fn demo() -> Result<(), eduhub_stack::StackError> {
//! use eduhub_stack::{Program, Stack, StackConfig};
//! let mut stack = Stack::start(StackConfig::new("postgres://root@127.0.0.1/postgres", "/tmp/run")).await?;
//! println!("registry answers on {}", stack.url(Program::Registry));
//! stack.kill9(Program::Registry).await?;
//! stack.restart(Program::Registry).await?;
//! stack.stop().await?;
//! # Ok(()) }
//! ```

mod binaries;
mod certs;
mod config;
mod database;
mod environment;
mod error;
mod ports;
mod private;
mod process;
mod program;
mod secrets;
mod stack;
mod warden;

pub use binaries::bin_dir;
pub use certs::Certs;
pub use config::StackConfig;
pub use database::{Database, DatabaseName};
pub use error::StackError;
pub use ports::free_ports;
pub use process::{Launch, Process};
pub use program::Program;
pub use secrets::Secrets;
pub use stack::Stack;
pub use warden::Warden;
