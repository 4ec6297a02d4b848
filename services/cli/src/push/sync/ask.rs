//! Asks the hub about one kind.
use super::inventory::{Own, Shelf};
use super::{SyncError, SyncedKind, patiently};
use crate::hub::Hub;
use crate::push::Job;
use eduhub_auth::AuthedChannel;
use eduhub_proto::common::v1::{CompareGroupsRequest, CompareRecordsRequest, Kind, RecordDigest};
use tonic::Status;

/// Most records and groups that one call may name.
pub(super) const MAX_RECORDS: usize = 20_000;
const MAX_GROUPS: usize = 10_000;

/// Who asks.
pub(super) struct Asking<'a> {
    pub channel: AuthedChannel,
    pub job: &'a Job,
    pub key_id: Vec<u8>,
}

/// What differs in one kind.
#[derive(Debug)]
pub(super) struct KindDifference {
    pub kind: Kind,
    /// Positions of the records to send.
    pub send: Vec<usize>,
    /// Keys to take away.
    pub away: Vec<String>,
    compared: u64,
    hub_records: u64,
    left: u64,
}

impl KindDifference {
    /// The numbers.
    pub fn summary(&self) -> SyncedKind {
        SyncedKind {
            kind: self.kind,
            compared: self.compared,
            hub_records: self.hub_records,
            sent: self.send.len() as u64,
            withdrawn: self.away.len() as u64,
            left: self.left,
        }
    }
}

/// Groups that are compared in one call, with the sender's records in them.
#[derive(Default)]
struct Call<'a> {
    groups: Vec<String>,
    records: Vec<&'a Own>,
}

impl Asking<'_> {
    /// Compares a kind; the sender may have nothing of it.
    pub async fn kind<H: Hub>(&self, kind: i32, shelf: Option<&Shelf>) -> Result<KindDifference, SyncError> {
        let nothing = Shelf::default();
        let shelf = shelf.unwrap_or(&nothing);
        let request = CompareGroupsRequest {
            school_code: self.job.school_code.clone(),
            school_year: self.job.school_year,
            kind,
            key_id: self.key_id.clone(),
            groups: shelf.digests(),
        };
        let ask = || H::compare_groups(self.channel.clone(), request.clone());
        let answer = patiently(self.job.attempts, ask).await.map_err(|status| self.refused(status))?;
        let mut difference = KindDifference {
            kind: Kind::try_from(kind).unwrap_or_default(),
            send: shelf.disputed().to_vec(),
            away: Vec::new(),
            compared: shelf.len() as u64,
            hub_records: answer.hub_records,
            left: 0,
        };
        let new = shelf.members(&answer.only_sender).into_iter().flatten();
        difference.send.extend(new.map(|own| own.position));
        for call in calls(difference.kind, shelf, [answer.differing, answer.only_hub].concat())? {
            self.records::<H>(call, shelf, &mut difference).await?;
        }
        difference.send.sort_unstable();
        difference.send.dedup();
        Ok(difference)
    }

    async fn records<H: Hub>(
        &self,
        call: Call<'_>,
        shelf: &Shelf,
        difference: &mut KindDifference,
    ) -> Result<(), SyncError> {
        let digest = |own: &&Own| RecordDigest { record_key: own.key.clone(), digest: own.digest.to_vec() };
        let request = CompareRecordsRequest {
            school_code: self.job.school_code.clone(),
            school_year: self.job.school_year,
            kind: difference.kind as i32,
            key_id: self.key_id.clone(),
            groups: call.groups,
            records: call.records.iter().map(digest).collect(),
        };
        let ask = || H::compare_records(self.channel.clone(), request.clone());
        let answer = patiently(self.job.attempts, ask).await.map_err(|status| self.refused(status))?;
        let wanted = answer.lacking.iter().chain(&answer.differing);
        difference.send.extend(wanted.filter_map(|key| shelf.position(key)));
        // A record that went to another group is extra in its old one.
        difference.away.extend(answer.extra.into_iter().filter(|key| shelf.position(key).is_none()));
        difference.left += answer.extra_omitted;
        Ok(())
    }

    fn refused(&self, status: Status) -> SyncError {
        SyncError::Refused { school_code: self.job.school_code.clone(), status: Box::new(status) }
    }
}

/// Groups in as few calls as possible, none of them torn.
fn calls(kind: Kind, shelf: &Shelf, groups: Vec<String>) -> Result<Vec<Call<'_>>, SyncError> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    let members = shelf.members(&groups);
    for (group, members) in groups.into_iter().zip(members) {
        if members.len() > MAX_RECORDS {
            return Err(SyncError::GroupTooLarge { kind, group, records: members.len() });
        }
        let fits = |call: &Call<'_>| {
            call.groups.len() < MAX_GROUPS && call.records.len() + members.len() <= MAX_RECORDS
        };
        if !calls.last().is_some_and(fits) {
            calls.push(Call::default());
        }
        if let Some(call) = calls.last_mut() {
            call.groups.push(group);
            call.records.extend(members);
        }
    }
    Ok(calls)
}
