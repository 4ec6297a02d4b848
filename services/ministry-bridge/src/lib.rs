//! ministry-bridge: carries approved, sealed data to the Ministry, record by record, and shows what became of each.
//!
//! A request is read from [`transfer`] on; work in the background from [`jobs`] on: [`fill`] puts a seal into the
//! [`ledger`], [`sending`] sends it through [`ministry`], [`reconcile`] reads it back, [`export`] writes workbooks for what
//! has no API.

pub mod app;
pub mod capability;
pub mod config;
pub mod core;
pub mod error;
pub mod export;
pub mod fill;
pub mod jobs;
pub mod ledger;
pub mod mapping;
pub mod metrics;
pub mod ministry;
pub mod peers;
pub mod places;
pub mod policy;
pub mod reconcile;
pub mod schema;
pub mod seal;
pub mod sending;
pub mod transfer;

/// Name of the binary, of its traces and of its ready line.
pub const NAME: &str = "eduhub-ministry-bridge";
