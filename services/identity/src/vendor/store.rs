//! Vendors in the database.
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, Failure, PgConnection};
use eduhub_proto::identity::v1::{Software, Vendor};
use sqlx::Row;

/// All vendors by code, each with its products by code.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<Vendor>, Failure> {
    let query = "select v.code, v.name, s.code, s.name from vendors v
        left join software s on s.vendor_code = v.code order by v.code, s.code";
    let mut out: Vec<Vendor> = Vec::new();
    for row in sqlx::query(query).fetch_all(conn).await? {
        let (code, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let software: Option<(String, String)> = row.try_get::<Option<String>, _>(2)?.zip(row.try_get(3)?);
        if out.last().is_none_or(|last| last.code != code) {
            out.push(Vendor { code, name, software: Vec::new() });
        }
        if let (Some(vendor), Some((code, name))) = (out.last_mut(), software) {
            vendor.software.push(Software { code, name });
        }
    }
    Ok(out)
}

/// Adds or renames a vendor and its products. ALREADY_EXISTS when a product belongs to another vendor.
pub async fn save(conn: &mut PgConnection, vendor: &Vendor) -> Result<(), Failure> {
    let upsert = "insert into vendors (code, name) values ($1, $2) on conflict (code) do update set name = excluded.name";
    sqlx::query(upsert).bind(&vendor.code).bind(&vendor.name).execute(&mut *conn).await?;
    let codes: Vec<&str> = vendor.software.iter().map(|software| software.code.as_str()).collect();
    let names: Vec<&str> = vendor.software.iter().map(|software| software.name.as_str()).collect();
    // Another vendor's product keeps its row, so fewer rows come back than were sent.
    let upsert = "insert into software (code, vendor_code, name)
        select c, $1, n from unnest($2::text[], $3::text[]) as t(c, n)
        on conflict (code) do update set name = excluded.name where software.vendor_code = excluded.vendor_code";
    let done = sqlx::query(upsert).bind(&vendor.code).bind(&codes).bind(&names).execute(conn).await;
    let saved = done.map_err(DbError::from)?.rows_affected();
    if saved < codes.len() as u64 {
        let fault = Fault::new(Reason::AlreadyExists)
            .violation("vendor.software", "a code belongs to another vendor");
        return Err(fault.into());
    }
    Ok(())
}
