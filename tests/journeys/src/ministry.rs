//! The last part of the way: to the Ministry record by record, or out as a workbook.
use crate::ground::{Actor, wait_for};
use anyhow::{Context, Result, ensure};
use eduhub_proto::approval::v1::Submission;
use eduhub_proto::bridge::v1::{
    ConfirmEnteredRequest, GetExportRequest, GetTransferRequest, ListLedgerRequest, StartTransferRequest,
    Transfer, TransferState, export_part::Part, transfer_service_client::TransferServiceClient,
};
use eduhub_stack::Program;
use std::time::Duration;
use uuid::Uuid;

/// Longest that a school of 50 may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Transfers what was approved and waits for its end.
pub async fn transfer(officer: &Actor, submission: &Submission) -> Result<Transfer> {
    let mut client = TransferServiceClient::new(officer.at(Program::Bridge));
    let transfer_id = Uuid::now_v7().to_string();
    let submission_id = submission.submission_id.clone();
    client.start_transfer(StartTransferRequest { transfer_id: transfer_id.clone(), submission_id }).await?;
    let ended = [TransferState::Done, TransferState::Exported, TransferState::Failed];
    let mut transfer = reach(officer, &transfer_id, &ended).await;
    if transfer.state == TransferState::Exported as i32 {
        confirm(officer, &transfer).await?;
        transfer = reach(officer, &transfer_id, &[TransferState::Done, TransferState::Failed]).await;
    }
    ensure!(transfer.state == TransferState::Done as i32, "the transfer failed: {}", transfer.problem);
    Ok(transfer)
}

async fn reach(officer: &Actor, transfer_id: &str, states: &[TransferState]) -> Transfer {
    let client = TransferServiceClient::new(officer.at(Program::Bridge));
    wait_for("transfer", PATIENCE, || {
        let mut client = client.clone();
        let request = GetTransferRequest { transfer_id: transfer_id.to_owned() };
        async move {
            let transfer = client.get_transfer(request).await?.into_inner();
            Ok(states.iter().any(|s| *s as i32 == transfer.state).then_some(transfer))
        }
    })
    .await
}

/// Facilities have no Ministry API: the school fetches the workbook and says that it was keyed in.
async fn confirm(officer: &Actor, transfer: &Transfer) -> Result<()> {
    let mut client = TransferServiceClient::new(officer.at(Program::Bridge));
    let transfer_id = transfer.transfer_id.clone();
    let mut parts =
        client.get_export(GetExportRequest { transfer_id: transfer_id.clone() }).await?.into_inner();
    let mut sha256 = None;
    while let Some(part) = parts.message().await? {
        if let Some(Part::Head(head)) = part.part {
            sha256 = Some(head.sha256);
        }
    }
    let sha256 = sha256.context("an export without head")?;
    client.confirm_entered(ConfirmEnteredRequest { transfer_id, sha256 }).await?;
    Ok(())
}

/// Every record of a transfer with the state it ended in, as the school reads them.
pub async fn ledger(officer: &Actor, transfer: &Transfer) -> Result<Vec<String>> {
    let mut client = TransferServiceClient::new(officer.at(Program::Bridge));
    let (mut rows, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListLedgerRequest {
            school_code: transfer.school_code.clone(),
            transfer_id: transfer.transfer_id.clone(),
            page_size: 200,
            page_token,
            ..ListLedgerRequest::default()
        };
        let page = client.list_ledger(request).await?.into_inner();
        rows.extend(page.entries.iter().map(|e| format!("{} {} {}", e.kind, e.record_key, e.state)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            rows.sort();
            return Ok(rows);
        }
    }
}
