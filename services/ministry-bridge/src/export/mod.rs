//! Workbooks for datasets that the Ministry has no API for (R-FLOW-6): filled, with the code lists that its columns follow on
//! sheets of their own (R-EXCEL-4), named `<unit name>_<template name>.xlsx` (R-EXCEL-15).
//!
//! Columns and headers come from the data dictionary. The file is kept sealed, with its SHA-256.

mod book;
mod cells;
mod codes;
mod name;
mod rpc;
mod store;

pub use book::write;
pub use rpc::{confirm, stream};
