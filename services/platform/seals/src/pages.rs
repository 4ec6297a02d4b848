//! Pages of records: live, sealed, history.
use crate::{seal::Sealed, view::Reader};
use eduhub_changelog::{RecordSet, StoredImage, Table, list_as_of};
use eduhub_faults::{Fault, Reason};
use eduhub_paging as paging;
use eduhub_proto::common::v1::{ChangeHeader, ListSealedRequest};
use sqlx::PgConnection;

/// Records with their heads, and the token of the next page (empty at the end).
pub struct RecordList<R> {
    /// Records.
    pub records: Vec<(ChangeHeader, Option<R>)>,
    /// Token of the next page.
    pub next_page_token: String,
}

fn table<S: RecordSet>(kind: i32) -> Result<&'static Table, Fault> {
    S::table(kind).ok_or_else(|| Fault::invalid("kind", "is not held by this service"))
}

fn page<S: RecordSet>(
    reader: &Reader<'_>,
    kind: i32,
    filter: &str,
    images: &[StoredImage],
    size: i64,
) -> Result<RecordList<S::Record>, Fault> {
    let next_page_token = match images.last() {
        Some(last) if images.len() as i64 == size => paging::token(filter, &last.record_key),
        _ => String::new(),
    };
    let records = images.iter().map(|i| reader.read::<S>(kind, i)).collect::<Result<_, _>>()?;
    Ok(RecordList { records, next_page_token })
}

/// One live record. NOT_FOUND when absent.
pub async fn get<S: RecordSet>(
    conn: &mut PgConnection,
    reader: &Reader<'_>,
    school_code: &str,
    kind: i32,
    record_key: &str,
) -> Result<(ChangeHeader, Option<S::Record>), Fault> {
    let image = eduhub_changelog::get(conn, table::<S>(kind)?, school_code, record_key).await?;
    reader.read::<S>(kind, &image.ok_or_else(|| Fault::new(Reason::NotFound))?)
}

/// Live records of one kind in one school by key.
pub async fn list<S: RecordSet>(
    conn: &mut PgConnection,
    reader: &Reader<'_>,
    school_code: &str,
    kind: i32,
    page_size: i32,
    page_token: &str,
) -> Result<RecordList<S::Record>, Fault> {
    let size = paging::size(page_size, 200, 1_000)?;
    let filter = format!("live/{school_code}/{kind}");
    let after = paging::after(&filter, page_token)?.unwrap_or_default();
    let images = eduhub_changelog::list(conn, table::<S>(kind)?, school_code, &after, size).await?;
    page::<S>(reader, kind, &filter, &images, size)
}

/// Versions of one record, newest first, at most 100. NOT_FOUND when it never was.
pub async fn history<S: RecordSet>(
    conn: &mut PgConnection,
    reader: &Reader<'_>,
    school_code: &str,
    kind: i32,
    record_key: &str,
) -> Result<RecordList<S::Record>, Fault> {
    let images = eduhub_changelog::history(conn, table::<S>(kind)?, school_code, record_key, 100).await?;
    if images.is_empty() {
        return Err(Fault::new(Reason::NotFound));
    }
    let records = images.iter().map(|i| reader.read::<S>(kind, i)).collect::<Result<_, _>>()?;
    Ok(RecordList { records, next_page_token: String::new() })
}

/// Records exactly as sealed, by key.
pub async fn list_sealed<S: RecordSet>(
    conn: &mut PgConnection,
    reader: &Reader<'_>,
    sealed: &Sealed,
    request: &ListSealedRequest,
) -> Result<RecordList<S::Record>, Fault> {
    let table = table::<S>(request.kind)?;
    if !sealed.tables::<S>().iter().any(|t| t.kind == table.kind) {
        return Err(Fault::invalid("kind", "is not in this seal's dataset"));
    }
    let size = paging::size(request.page_size, 500, 1_000)?;
    let filter = format!("sealed/{}/{}", sealed.head.seal_id, request.kind);
    let after = paging::after(&filter, &request.page_token)?.unwrap_or_default();
    let images = list_as_of(conn, table, &sealed.side(), &after, size).await?;
    page::<S>(reader, request.kind, &filter, &images, size)
}
