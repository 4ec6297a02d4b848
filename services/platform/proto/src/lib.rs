//! Types of the EduHub API, generated from `proto/`, and the data dictionary that its annotations hold.
//!
//! The `.proto` files are the manual: every RPC, message and field is described there, with limits and errors.

pub mod dictionary;
mod raw_batch;
pub mod wire;

pub use raw_batch::RawBatch;

/// Descriptor set of the whole API with comments and annotations, for reflection and for contract tests.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/eduhub.descriptor.bin"));

/// The standard gRPC service config of the API (JSON), which clients of every language load into their channels: how long a
/// call may take, and which ones are asked again after UNAVAILABLE. A contract test holds it against the descriptors.
pub const SERVICE_CONFIG: &str = include_str!("../../../../proto/eduhub/service_config.json");

macro_rules! packages {
    ($($(#[$doc:meta])* $name:ident => $file:literal;)*) => {
        $($(#[$doc])*
        pub mod $name {
            /// Version 1.
            #[allow(missing_docs, clippy::all, clippy::pedantic)]
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/", $file));
            }
        })*
    };
}

packages! {
    /// Parts that several services share.
    common => "eduhub.common.v1.rs";
    /// Access: principals, applications, grants, tokens, verification of personal IDs.
    identity => "eduhub.identity.v1.rs";
    /// Schools, pupils, staff, results.
    registry => "eduhub.registry.v1.rs";
    /// Rooms and other facilities.
    facility => "eduhub.facility.v1.rs";
    /// Submissions, review, decisions.
    approval => "eduhub.approval.v1.rs";
    /// Transfer to the Ministry.
    bridge => "eduhub.bridge.v1.rs";
}

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod dictionary_tables {
    include!(concat!(env!("OUT_DIR"), "/dictionary.rs"));
}

mod wire_shapes {
    include!(concat!(env!("OUT_DIR"), "/shapes.rs"));
}

pub use dictionary_tables::{ALL_LEVELS, MESSAGES, NESTED_FIELDS, PATTERNS, RECORDS};
