//! Versions of one record, with what changed from each to the next.
use crate::{
    difference::differences,
    reads::{Reads, table},
    view::Seen,
};
use eduhub_auth::Caller;
use eduhub_changelog::{RecordSet, Version, history};
use eduhub_faults::{Fault, Reason};
use eduhub_paging as paging;
use eduhub_proto::common::v1::{GetRecordHistoryRequest, VersionDetail};

/// A version as its reader sees it.
pub struct RecordVersion<R> {
    /// Head and record.
    pub seen: Seen<R>,
    /// What changed, and who changed it.
    pub detail: VersionDetail,
}

/// Page of versions, newest first.
pub struct RecordHistory<R> {
    /// Versions.
    pub versions: Vec<RecordVersion<R>>,
    /// Token of the next page; empty at the end.
    pub next_page_token: String,
}

impl<S: RecordSet> Reads<S> {
    /// Versions of one record, newest first.
    ///
    /// # Errors
    /// NOT_FOUND when it never was, or the school is absent or out of reach; PERMISSION_DENIED for the domain;
    /// INVALID_ARGUMENT for size and token.
    pub async fn history(
        &self,
        caller: &Caller,
        asked: &GetRecordHistoryRequest,
    ) -> Result<RecordHistory<S::Record>, Fault> {
        let GetRecordHistoryRequest { school_code, kind, record_key, .. } = asked;
        self.gate.kind(caller, school_code, *kind).await?;
        let table = table::<S>(*kind)?;
        let size = paging::size(asked.page_size, 50, 200)?;
        let filter = format!("history/{school_code}/{kind}/{record_key}");
        let below = match paging::after_number(&filter, &asked.page_token)? {
            0 => i64::MAX,
            version => version,
        };
        // One more than the page: its last version differs from the one before it.
        let mut found =
            history(&mut *self.conn().await?, table, school_code, record_key, below, size + 1).await?;
        if found.is_empty() && asked.page_token.is_empty() {
            return Err(Fault::new(Reason::NotFound));
        }
        let mut seen = found
            .iter()
            .map(|version| self.reader(caller).read::<S>(*kind, &version.image))
            .collect::<Result<Vec<_>, _>>()?;
        let size = usize::try_from(size).unwrap_or_default();
        let mut details: Vec<VersionDetail> =
            found.iter().enumerate().map(|(i, version)| detail::<S>(version, &seen[i..])).collect();
        let more = found.len() > size;
        found.truncate(size);
        seen.truncate(size);
        details.truncate(size);
        let next_page_token = match found.last() {
            Some(last) if more => paging::token(&filter, &last.image.version.to_string()),
            _ => String::new(),
        };
        let versions =
            seen.into_iter().zip(details).map(|(seen, detail)| RecordVersion { seen, detail }).collect();
        Ok(RecordHistory { versions, next_page_token })
    }
}

/// Who made a version, and what changed from the one before it; `seen` are this version and the older ones.
fn detail<S: RecordSet>(version: &Version, seen: &[Seen<S::Record>]) -> VersionDetail {
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let mut detail = VersionDetail {
        grant_id: id(version.grant_id),
        actor: version.actor.clone().unwrap_or_default(),
        session_id: id(version.session_id),
        ..VersionDetail::default()
    };
    if let [(_, Some(after)), (head, Some(before)), ..] = seen
        && head.version + 1 == version.image.version
    {
        detail.compared_with = head.version;
        detail.fields = differences::<S>(before, after);
    }
    detail
}
