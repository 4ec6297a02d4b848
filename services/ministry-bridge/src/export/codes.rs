use std::time::Duration;

use eduhub_proto::registry::v1::{Code, ListCodesRequest, ListCodesResponse};
use time::OffsetDateTime;
use time::macros::format_description;
use tonic::Status;

use super::cells::CodeSheet;
use crate::core::Core;
use crate::error::{Error, of_peer};
use crate::peers::within_deadline;

/// Code lists change a few times a year.
const TTL: Duration = Duration::from_secs(300);

/// The codes of a list that are valid today.
pub(super) async fn valid(core: &Core, list: &'static str) -> Result<CodeSheet, Error> {
    let request = ListCodesRequest { list: list.to_owned(), ..Default::default() };
    let fetch = async {
        Ok::<ListCodesResponse, Status>(
            core.peers.codes().list_codes(within_deadline(request)).await?.into_inner(),
        )
    };
    let answer: ListCodesResponse = core
        .cache
        .get_or_fetch(&format!("codes/{list}"), TTL, fetch)
        .await
        .map_err(|status| of_peer("registry", status))?;
    let today = OffsetDateTime::now_utc()
        .date()
        .format(format_description!("[year]-[month]-[day]"))
        .unwrap_or_default();
    let holds = |code: &Code| {
        code.list == list
            && code.valid_from.as_str() <= today.as_str()
            && (code.valid_to.is_empty() || code.valid_to.as_str() >= today.as_str())
    };
    let codes = answer.codes.into_iter().filter(holds).map(|code| (code.code, code.name)).collect();
    Ok(CodeSheet { list, codes })
}
