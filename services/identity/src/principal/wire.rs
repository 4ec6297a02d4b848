//! Principals as the API writes them.
use super::store::PrincipalRow;
use crate::wire::{scope_out, timestamp};
use eduhub_auth::Role;
use eduhub_proto::identity::v1::Principal;

/// A principal.
pub fn principal(row: PrincipalRow) -> Principal {
    Principal {
        scope: Some(scope_out(&row.scope())),
        principal_id: row.id.to_string(),
        kind: i32::from(row.kind),
        name: row.name,
        login: row.login.unwrap_or_default(),
        role: Role::from_name(&row.role).map_or(0, |role| role.to_proto() as i32),
        office: row.office.unwrap_or_default(),
        domains: row.domains,
        max_class: row.max_class,
        created_at: Some(timestamp(row.created_at)),
        disabled_at: row.disabled_at.map(timestamp),
    }
}
