//! One view for each kind, with the fields of the dictionary as columns.
use crate::copy::CopyError;
use eduhub_proto::dictionary::{FieldMeta, FieldType, RecordMeta};
use eduhub_proto::{DESCRIPTORS, RECORDS};
use prost_reflect::DescriptorPool;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Makes the views of a service's kinds, unless those that are there say the same.
pub(super) async fn renew(conn: &mut PgConnection, service: &str) -> Result<(), CopyError> {
    let pool = DescriptorPool::decode(DESCRIPTORS).ok();
    let of_service = |meta: &&RecordMeta| {
        let name = format!("eduhub.{service}.v1.{}", meta.name);
        pool.as_ref().is_some_and(|pool| pool.get_message_by_name(&name).is_some())
    };
    let views: Vec<(String, String)> = RECORDS
        .iter()
        .copied()
        .filter(of_service)
        .map(|meta| (snake(meta.name), view(service, meta)))
        .collect();
    let mark = hex::encode(Sha256::digest(format!("{views:?}")));
    let mut tx = conn.begin().await?;
    let comment = "select obj_description('place'::regclass)";
    let known: Option<String> = sqlx::query_scalar(comment).fetch_one(&mut *tx).await?;
    let known = known.unwrap_or_default();
    let own = format!("{service}={mark}");
    if known.split(' ').any(|part| part == own) {
        return Ok(());
    }
    for (name, select) in &views {
        // Dropped first: a view can be replaced only by one with the same columns and more. One that other views are built on
        // can't be dropped, and then this ends with the database's words for it.
        let sql = format!("drop view if exists {name}; create view {name} as {select}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
    }
    let others =
        known.split(' ').filter(|part| !part.is_empty() && !part.starts_with(&format!("{service}=")));
    let marks: Vec<&str> = others.chain([own.as_str()]).collect();
    let sql = format!("comment on table place is '{}'", marks.join(" "));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

fn view(service: &str, meta: &RecordMeta) -> String {
    let fields: String = meta.fields.iter().map(|f| format!(",\n  {} as {:?}", column(f), f.name)).collect();
    format!(
        "select school_code as hub_school_code, record_key as hub_key, record_id as hub_id, version as hub_version,
  changed_at as hub_changed_at{fields}
from record where service = '{service}' and kind = {} and not withdrawn",
        meta.kind
    )
}

fn column(field: &FieldMeta) -> String {
    let name = field.name;
    match field.ty {
        FieldType::Text => format!("data->>'{name}'"),
        FieldType::Number => format!("(data->>'{name}')::float8"),
        FieldType::Int => format!("(data->>'{name}')::int8"),
        FieldType::Flag => format!("(data->>'{name}')::boolean"),
        FieldType::List => format!("data->'{name}'"),
    }
}

/// `term_result` of `TermResult`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
