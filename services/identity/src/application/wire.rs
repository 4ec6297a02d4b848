//! Applications as the API writes them.
use super::store::ApplicationRow;
use crate::wire::{optional, timestamp};
use eduhub_faults::Fault;
use eduhub_proto::identity::v1::{Application, Form1};
use prost::Message;

/// The form as it was signed.
///
/// # Errors
/// Internal, when the stored bytes are not a form.
pub fn form(row: &ApplicationRow) -> Result<Form1, Fault> {
    Form1::decode(row.form.as_slice()).map_err(Fault::internal)
}

/// An application.
///
/// # Errors
/// Internal, when the stored bytes are not a form.
pub fn application(row: ApplicationRow) -> Result<Application, Fault> {
    Ok(Application {
        form: Some(form(&row)?),
        application_id: row.id.to_string(),
        state: i32::from(row.state),
        commune_code: row.commune_code,
        directly_managed: row.directly_managed,
        batch_id: optional(row.batch_id),
        submitted_at: Some(timestamp(row.submitted_at)),
        submitted_by: row.submitted_by,
        decided_at: row.decided_at.map(timestamp),
        decided_by: row.decided_by.unwrap_or_default(),
        decision_reason: row.decision_reason.unwrap_or_default(),
        grant_id: optional(row.grant_id),
    })
}
