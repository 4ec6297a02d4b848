//! SealService.
use crate::{record::rpc::page, records::RegistryRecords};
use eduhub_proto::registry::v1;
use eduhub_seals::Archive;

/// The service.
pub struct Seals(pub Archive<RegistryRecords>);

// A seal is part of a submission: what keeps the log from being pruned is made there alone.
eduhub_seals::seal_service!(Seals: v1, pages by page, made for "approval");
