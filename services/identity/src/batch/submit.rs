//! How a batch is forwarded: all its applications or none.
use super::form;
use super::store::{self, BatchRow, New};
use crate::application::store::{self as applications, State};
use crate::check::{Check, today};
use crate::database::transaction;
use crate::wire::timestamp;
use aws_lc_rs::digest::{SHA256, digest};
use eduhub_auth::Caller;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{Failure, PgConnection, PgPool};
use eduhub_proto::identity::v1::{BatchApplication, Form2, SubmitBatchApplicationRequest};
use prost::Message;
use std::collections::HashMap;
use uuid::Uuid;

/// Forwards the applications that form 2 names.
///
/// # Errors
/// As SubmitBatchApplication.
pub async fn submit(
    pool: &PgPool,
    request: SubmitBatchApplicationRequest,
    caller: Caller,
) -> Result<BatchApplication, Failure> {
    let mut form = request.form.unwrap_or_default();
    let request_digest = digest(&SHA256, &form.encode_to_vec()).as_ref().to_vec();
    let mut check = Check::new(today());
    let request_id = request.request_id.parse::<Uuid>().ok();
    check.require(request.request_id.is_empty() || request_id.is_some(), "request_id", Reason::BadFormat);
    let items = form::check(&mut check, &mut form);
    if !form.area.is_empty() {
        caller.require_commune(&form.area)?;
    }
    let new = New {
        area: form.area.clone(),
        form: form.encode_to_vec(),
        request_id,
        request_digest,
        submitted_by: caller.sub,
    };
    let row = transaction(pool, |conn| Box::pin(forward(conn, new, items, check))).await?;
    Ok(BatchApplication {
        form: Some(Form2::decode(row.form.as_slice()).map_err(Fault::internal)?),
        batch_id: row.id.to_string(),
        submitted_at: Some(timestamp(row.submitted_at)),
        submitted_by: row.submitted_by,
    })
}

async fn forward(
    conn: &mut PgConnection,
    new: New,
    items: Vec<(usize, Uuid)>,
    mut check: Check,
) -> Result<BatchRow, Failure> {
    if let Some(before) = repeated(conn, &new).await? {
        return Ok(before);
    }
    let ids: Vec<Uuid> = items.iter().map(|(_, id)| *id).collect();
    let found = applications::lock_many(conn, &ids).await?;
    let found: HashMap<Uuid, _> = found.into_iter().map(|row| (row.id, row)).collect();
    for (i, id) in items {
        // Of another commune's schools nobody learns here that they applied.
        match found.get(&id).filter(|row| row.commune_code == new.area) {
            None => check.refuse(form::item(i), Reason::NotFound),
            Some(row) if row.state != State::Submitted as i16 || row.batch_id.is_some() => {
                check.refuse(form::item(i), Reason::WrongState);
            }
            Some(_) => {}
        }
    }
    check.finish()?;
    let Some(row) = store::insert(conn, &new).await? else {
        return Ok(repeated(conn, &new).await?.ok_or_else(|| Fault::new(Reason::Conflict))?);
    };
    applications::forward(conn, &ids, row.id).await?;
    Ok(row)
}

async fn repeated(conn: &mut PgConnection, new: &New) -> Result<Option<BatchRow>, Failure> {
    match store::by_request(conn, new).await? {
        Some(before) if before.request_digest != new.request_digest => {
            let fault = Fault::new(Reason::Conflict).detail("the request id was used with other content");
            Err(fault.into())
        }
        before => Ok(before),
    }
}
