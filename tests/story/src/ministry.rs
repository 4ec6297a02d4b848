//! Act f: what is approved goes to the simulated Ministry, which misbehaves; every answer comes back; facilities leave as xlsx.
use crate::{people::People, review::Reviewed, stage::Stage};
use anyhow::{Context, Result, bail, ensure};
use eduhub_proto::{
    bridge::v1::{
        ConfirmEnteredRequest, DifferenceType, GetExportRequest, GetReconciliationRequest,
        GetTransferRequest, LedgerState, ListDifferencesRequest, ListLedgerRequest, ReconcileRequest,
        ReconciliationState, StartTransferRequest, Transfer, TransferState, export_part::Part,
        reconcile_service_client::ReconcileServiceClient, transfer_service_client::TransferServiceClient,
    },
    common::v1::Dataset,
};
use eduhub_stack::Program;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How the Ministry misbehaves in the story.
pub const FAULTS: &str = r#"{
  "seed": 7,
  "endpoints": {
    "tiep_nhan": {
      "script": ["http_503", {"fault": "http_429", "seconds": 1}, "reset_after_store", {"fault": "hang", "seconds": 3}, "ok"],
      "probability": {"http_500": 0.01, "http_502": 0.01, "reset_after_store": 0.01, "slow": 0.03},
      "retry_after_seconds": 1, "slow_seconds": 0.3
    },
    "oauth_token": {"script": ["http_503"]}
  },
  "records": {"loai": [4], "probability": {"reject": 0.004, "alter": 0.004, "forget": 0.003}}
}"#;

/// What the transfer came to.
#[derive(Default)]
pub struct Transferred {
    /// Ledger rows by state.
    pub states: BTreeMap<i32, u64>,
    /// Records found differing by reconciliation.
    pub differing: BTreeSet<String>,
    /// Records found missing at the Ministry.
    pub missing: BTreeSet<String>,
    /// Records that the Ministry refused, or that wait for one it refused, as the schools see them.
    pub refused: BTreeSet<String>,
    /// Records found at the Ministry only.
    pub extra: BTreeSet<String>,
    /// xlsx files written.
    pub files: u64,
    /// Rows in them, confirmed as entered.
    pub entered: u64,
}

impl Transferred {
    /// Rows in a state.
    pub fn in_state(&self, state: LedgerState) -> u64 {
        self.states.get(&(state as i32)).copied().unwrap_or_default()
    }
}

/// Control of the simulators.
pub struct Simulators {
    base: String,
    http: reqwest::Client,
}

impl Simulators {
    /// At this base URL.
    pub fn at(base: String) -> Self {
        Self { base, http: reqwest::Client::new() }
    }

    /// Sets the fault plan.
    pub async fn misbehave(&self, plan: &'static str) -> Result<()> {
        let url = format!("{}/control/faults", self.base);
        let sent = self.http.post(url).header("content-type", "application/json").body(plan).send().await?;
        sent.error_for_status()?;
        Ok(())
    }

    /// Loads the population.
    pub async fn populate(&self, lines: Vec<u8>) -> Result<()> {
        let sent = self.http.post(format!("{}/control/npd/load", self.base)).body(lines).send().await?;
        sent.error_for_status()?;
        Ok(())
    }

    /// What was done and received.
    pub async fn state(&self) -> Result<serde_json::Value> {
        Ok(self
            .http
            .get(format!("{}/control/state", self.base))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }
}

/// Record ids of one list of the simulator's own account of what it did wrong and that still is so.
pub fn still_wrong(state: &serde_json::Value, list: &str) -> BTreeSet<String> {
    let entries = state["on_purpose"][list].as_array().cloned().unwrap_or_default();
    let still = |e: &&serde_json::Value| e["still_wrong"].as_bool().unwrap_or(true);
    entries.iter().filter(still).filter_map(|e| e["idbanghi"].as_str().map(str::to_owned)).collect()
}

/// Starts a transfer for every approved submission; each school starts its own (R-FLOW-5).
pub async fn transfer(
    people: &People,
    reviewed: &Reviewed,
    dir: &Path,
    stage: &Stage,
) -> Result<Transferred> {
    let total: u64 = reviewed.sealed.values().sum();
    let bar = stage.bar("f. Ministry", total, "records");
    let mut started = Vec::new();
    for (school, dataset, submission) in &reviewed.submissions {
        let officer = people.schools.get(school).context("school without officer")?;
        let mut client = TransferServiceClient::new(officer.at(Program::Bridge));
        let request = StartTransferRequest {
            transfer_id: Uuid::now_v7().to_string(),
            submission_id: submission.submission_id.clone(),
        };
        let transfer = client.start_transfer(request).await?.into_inner();
        started.push((school.clone(), *dataset, transfer));
    }
    let mut out = Transferred::default();
    for (school, dataset, transfer) in started {
        let done = finish(people, &school, dataset, transfer, dir, &mut out).await?;
        let rows: u64 = done.counts.iter().map(|c| c.records).sum();
        for count in &done.counts {
            *out.states.entry(count.state).or_default() += count.records;
        }
        bar.add(rows);
        if dataset != Dataset::Facilities {
            reconcile(people, &school, &done, &mut out).await?;
            for state in [LedgerState::Rejected, LedgerState::Blocked, LedgerState::Dead] {
                out.refused.extend(ledger(people, &school, &done, state).await?);
            }
        }
    }
    bar.finish();
    Ok(out)
}

/// Waits until a transfer is final; a manual one is exported, read and confirmed on the way.
async fn finish(
    people: &People,
    school: &str,
    dataset: Dataset,
    mut transfer: Transfer,
    dir: &Path,
    out: &mut Transferred,
) -> Result<Transfer> {
    let officer = people.schools.get(school).context("school without officer")?;
    let mut client = TransferServiceClient::new(officer.at(Program::Bridge));
    let deadline = Instant::now() + Duration::from_secs(240);
    loop {
        match TransferState::try_from(transfer.state).unwrap_or_default() {
            TransferState::Done => return Ok(transfer),
            TransferState::Failed => {
                bail!("transfer of {school} {} failed: {}", dataset.as_str_name(), transfer.problem)
            }
            TransferState::Exported => {
                let rows: u64 = transfer.counts.iter().map(|c| c.records).sum();
                enter(&mut client, &transfer, dir).await?;
                out.files += 1;
                out.entered += rows;
            }
            _ if Instant::now() > deadline => {
                bail!("transfer of {school} {} does not end: {:?}", dataset.as_str_name(), transfer.counts)
            }
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
        let request = GetTransferRequest { transfer_id: transfer.transfer_id.clone() };
        transfer = client.get_transfer(request).await?.into_inner();
    }
}

/// Fetches the xlsx, checks its digest, keeps it beside the logs and confirms that it was keyed in.
async fn enter(
    client: &mut TransferServiceClient<eduhub_auth::AuthedChannel>,
    transfer: &Transfer,
    dir: &Path,
) -> Result<()> {
    let request = GetExportRequest { transfer_id: transfer.transfer_id.clone() };
    let mut parts = client.get_export(request).await?.into_inner();
    let (mut head, mut bytes) = (None, Vec::new());
    while let Some(part) = parts.message().await? {
        match part.part {
            Some(Part::Head(h)) => head = Some(h),
            Some(Part::Data(data)) => bytes.extend(data),
            None => {}
        }
    }
    let head = head.context("export without head")?;
    let digest = Sha256::digest(&bytes).to_vec();
    ensure!(digest == head.sha256, "export {} arrived with another digest", head.file_name);
    let folder = dir.join("exports").join(&transfer.school_code);
    std::fs::create_dir_all(&folder)?;
    let name = Path::new(&head.file_name).file_name().context("export without a file name")?;
    std::fs::write(folder.join(name), &bytes)?;
    let confirm = ConfirmEnteredRequest { transfer_id: transfer.transfer_id.clone(), sha256: digest };
    client.confirm_entered(confirm).await?;
    Ok(())
}

/// Record ids of a transfer's ledger rows in a state, as the school reads them.
async fn ledger(
    people: &People,
    school: &str,
    transfer: &Transfer,
    state: LedgerState,
) -> Result<Vec<String>> {
    let officer = people.schools.get(school).context("school without officer")?;
    let mut client = TransferServiceClient::new(officer.at(Program::Bridge));
    let (mut out, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListLedgerRequest {
            school_code: school.to_owned(),
            transfer_id: transfer.transfer_id.clone(),
            state: state as i32,
            page_size: 500,
            page_token,
        };
        let page = client.list_ledger(request).await?.into_inner();
        out.extend(page.entries.into_iter().map(|e| e.record_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(out);
        }
    }
}

async fn reconcile(people: &People, school: &str, transfer: &Transfer, out: &mut Transferred) -> Result<()> {
    let officer = people.schools.get(school).context("school without officer")?;
    let mut client = ReconcileServiceClient::new(officer.at(Program::Bridge));
    let reconciliation_id = Uuid::now_v7().to_string();
    let request = ReconcileRequest {
        reconciliation_id: reconciliation_id.clone(),
        transfer_id: transfer.transfer_id.clone(),
    };
    let mut run = client.reconcile(request).await?.into_inner();
    let deadline = Instant::now() + Duration::from_secs(60);
    while run.state == ReconciliationState::Running as i32 {
        ensure!(Instant::now() < deadline, "reconciliation of {school} does not end");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let request = GetReconciliationRequest { reconciliation_id: reconciliation_id.clone() };
        run = client.get_reconciliation(request).await?.into_inner();
    }
    ensure!(run.state == ReconciliationState::Done as i32, "reconciliation of {school}: {}", run.problem);
    let mut page_token = String::new();
    loop {
        let request = ListDifferencesRequest {
            reconciliation_id: reconciliation_id.clone(),
            page_size: 500,
            page_token,
        };
        let page = client.list_differences(request).await?.into_inner();
        for d in page.differences {
            let list = match DifferenceType::try_from(d.r#type).unwrap_or_default() {
                DifferenceType::Missing => &mut out.missing,
                DifferenceType::Extra => &mut out.extra,
                _ => &mut out.differing,
            };
            list.insert(d.record_id);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(());
        }
    }
}
