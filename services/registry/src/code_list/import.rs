//! An import, from its check to its version.
use super::{
    CodeLists,
    mistake::{mistake, refusal, refuse},
    model::{Import, MOST_ENTRIES, Plan, UNIT_LISTS, digest},
    store::{self, Maker},
    usage,
};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, in_tx};
use eduhub_proto::registry::v1::{
    CodeListImportMode, CodeListVersion, ImportCodeListRequest, ImportCodeListResponse, RowMistake,
};
use std::{collections::BTreeSet, time::Duration};

const TRANSACTION: Duration = Duration::from_secs(20);

impl CodeLists {
    /// Imports a list in somebody's name.
    pub(super) async fn import(
        &self,
        by: String,
        request: ImportCodeListRequest,
    ) -> Result<ImportCodeListResponse, Fault> {
        check_request(&request)?;
        let mode = CodeListImportMode::try_from(request.mode).unwrap_or_default();
        let (import, mut mistakes) = Import::parse(&request.list, mode, &request.codes);
        let plan = self.plan(&import).await?;
        mistakes.extend(self.still_used(&import, &plan.dropped).await?);
        if request.validate_only {
            let version = Some(would_be(&import.list, &plan, &request.note));
            return Ok(ImportCodeListResponse { version, changed: false, mistakes });
        }
        if !mistakes.is_empty() {
            return Err(refuse(refusal(mistakes.len()), "codes", &mistakes));
        }
        let today = (self.today)();
        let answer = in_tx(&self.pool, TRANSACTION, move |conn| {
            Box::pin(async move {
                store::lock_version(conn).await?;
                let newest = store::version_of(conn, &import.list, i64::MAX).await?.unwrap_or_default();
                let seen = request.expected_version;
                let again = import.plan(&store::entries(conn, &import.list).await?, today);
                // What would be dropped was looked for among the records before: it must not be more by now.
                if (seen != 0 && seen != newest.version) || !again.dropped.is_subset(&plan.dropped) {
                    return Err(Fault::new(Reason::Conflict).meta("version", newest.version));
                }
                if again.written.is_empty() {
                    return Ok((newest, false));
                }
                let version = store::next_version(conn).await?;
                let maker = Maker { by: &by, note: &request.note };
                store::write(conn, &import.list, version, &again, &maker).await?;
                let made = store::version_of(conn, &import.list, version).await?;
                Ok((made.unwrap_or_default(), true))
            })
        })
        .await;
        let (version, changed) = answer?;
        Ok(ImportCodeListResponse { version: Some(version), changed, mistakes: vec![] })
    }

    async fn plan(&self, import: &Import) -> Result<Plan, Fault> {
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        Ok(import.plan(&store::entries(&mut conn, &import.list).await?, (self.today)()))
    }

    /// Codes that the file leaves out although live records use them.
    async fn still_used(
        &self,
        import: &Import,
        dropped: &BTreeSet<String>,
    ) -> Result<Vec<RowMistake>, Fault> {
        if dropped.is_empty() {
            return Ok(vec![]);
        }
        let missing = |code: &str, vi: &str, en: &str| mistake(import.rows, "code", code, vi, en);
        if usage::used_elsewhere(&import.list) {
            let vi = "Danh mục dùng ở dịch vụ khác: mã bị bỏ phải có ngày cuối";
            let en = "left out of a list that records of other services use: give it a last day";
            return Ok(dropped.iter().map(|code| missing(code, vi, en)).collect());
        }
        let used = usage::count(&self.pool, &self.vault, &import.list, dropped).await?;
        let used = used.iter().map(|(code, records)| {
            let vi = format!("Mã bị bỏ nhưng {records} bản ghi đang dùng: phải có ngày cuối");
            let en = format!("left out, but {records} live records use it: give it a last day");
            missing(code, &vi, &en)
        });
        Ok(used.collect())
    }
}

fn check_request(request: &ImportCodeListRequest) -> Result<(), Fault> {
    let mut fault = Fault::new(Reason::InvalidRequest);
    if UNIT_LISTS.contains(&request.list.as_str()) {
        fault = fault.violation("list", "administrative units come with the hub");
    } else if !usage::is_known(&request.list) {
        fault = fault.violation("list", "no field of the dictionary uses a list of this name");
    }
    if matches!(CodeListImportMode::try_from(request.mode), Err(_) | Ok(CodeListImportMode::Unspecified)) {
        fault = fault.violation("mode", "WHOLE or PARTIAL");
    }
    if request.codes.is_empty() || request.codes.len() > MOST_ENTRIES {
        fault = fault.violation("codes", "1 to 20,000 entries");
    }
    if request.note.chars().count() > 500 {
        fault = fault.violation("note", "at most 500 characters");
    }
    fault.into_result()
}

fn would_be(list: &str, plan: &Plan, note: &str) -> CodeListVersion {
    CodeListVersion {
        list: list.to_owned(),
        note: note.to_owned(),
        digest: digest(&plan.after).to_vec(),
        codes: u32::try_from(plan.after.len()).unwrap_or(u32::MAX),
        added: plan.added,
        changed: plan.changed,
        ended: plan.ended,
        ..CodeListVersion::default()
    }
}
