//! Pages of sealed records.
use crate::seal::Sealed;
use eduhub_changelog::{RecordSet, list_as_of};
use eduhub_faults::Fault;
use eduhub_paging as paging;
use eduhub_proto::common::v1::ListSealedRequest;
use eduhub_reads::{Reader, RecordList, table};
use sqlx::PgConnection;

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
    let next_page_token = match images.last() {
        Some(last) if images.len() as i64 == size => paging::token(&filter, &last.record_key),
        _ => String::new(),
    };
    Ok(RecordList { records: reader.all::<S>(request.kind, &images)?, next_page_token })
}
