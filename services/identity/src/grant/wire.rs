//! Grants as the API writes them.
use super::store::GrantRow;
use crate::wire::{iso, optional, scope_out, timestamp};
use eduhub_proto::identity::v1::Grant;

/// A grant.
pub fn grant(row: GrantRow) -> Grant {
    Grant {
        scope: Some(scope_out(&row.scope())),
        grant_id: row.id.to_string(),
        kind: i32::from(row.kind),
        principal_id: row.principal_id.to_string(),
        name: row.name,
        application_id: optional(row.application_id),
        vendor_code: row.vendor_code.unwrap_or_default(),
        software: row.software.unwrap_or_default(),
        contract_number: row.contract_number,
        secrecy_clause: row.secrecy_clause,
        domains: row.domains,
        max_class: row.max_class,
        valid_from: iso(row.valid_from),
        valid_to: iso(row.valid_to),
        created_at: Some(timestamp(row.created_at)),
        created_by: row.created_by,
        ended_at: row.ended_at.map(timestamp),
        ended_by: row.ended_by.unwrap_or_default(),
        end_reason: row.end_reason.unwrap_or_default(),
    }
}
