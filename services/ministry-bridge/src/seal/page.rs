use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{ChangeHeader, Kind, ListSealedRequest};
use eduhub_proto::dictionary::Annotated;
use eduhub_proto::facility::v1::{Room, record::Record as FacilityRecord};
use eduhub_proto::registry::v1::record::Record as RegistryRecord;
use eduhub_proto::registry::v1::{
    Attendance, Campus, Class, Enrolment, FreeCandidate, Graduation, Health, Pupil, Retake, School, Staff,
    TermResult,
};
use uuid::Uuid;

use crate::peers::{Peers, within_deadline};

/// Records asked for at once: 500 pupils are below 1 MiB, and one statement of the ledger takes them well.
const PAGE: i32 = 500;

/// A sealed record of any kind of both services.
// A page of them lives for one statement: a box each would cost more than the room.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Sealed {
    School(School),
    Campus(Campus),
    Class(Class),
    Pupil(Pupil),
    Staff(Staff),
    Enrolment(Enrolment),
    TermResult(TermResult),
    Health(Health),
    Attendance(Attendance),
    Retake(Retake),
    Graduation(Graduation),
    FreeCandidate(FreeCandidate),
    Room(Room),
}

impl Sealed {
    /// The record for a walk over its fields.
    pub(crate) fn annotated(&self) -> &dyn Annotated {
        match self {
            Self::School(record) => record,
            Self::Campus(record) => record,
            Self::Class(record) => record,
            Self::Pupil(record) => record,
            Self::Staff(record) => record,
            Self::Enrolment(record) => record,
            Self::TermResult(record) => record,
            Self::Health(record) => record,
            Self::Attendance(record) => record,
            Self::Retake(record) => record,
            Self::Graduation(record) => record,
            Self::FreeCandidate(record) => record,
            Self::Room(record) => record,
        }
    }
}

/// Head and content of a sealed record.
pub(crate) struct Entry {
    pub(crate) record_id: Uuid,
    pub(crate) record_key: String,
    pub(crate) version: i64,
    pub(crate) record: Sealed,
}

/// One page of a kind, and the token of the next (empty at the end).
pub(crate) async fn read(
    peers: &Peers,
    seal_id: &str,
    kind: Kind,
    token: String,
) -> Result<(Vec<Entry>, String), Fault> {
    let request = ListSealedRequest {
        seal_id: seal_id.to_owned(),
        kind: kind.into(),
        page_size: PAGE,
        page_token: token,
    };
    let mut entries = Vec::new();
    let next = if kind == Kind::Room {
        let page = peers
            .facility_seals()
            .list_sealed(within_deadline(request))
            .await
            .map_err(|e| peers.fault("facility", e))?
            .into_inner();
        for change in page.records {
            let Some(FacilityRecord::Room(room)) = change.record.and_then(|record| record.record) else {
                continue;
            };
            entries.push(entry(change.header, Sealed::Room(room))?);
        }
        page.next_page_token
    } else {
        let page = peers
            .registry_seals()
            .list_sealed(within_deadline(request))
            .await
            .map_err(|e| peers.fault("registry", e))?
            .into_inner();
        for change in page.records {
            let Some(record) = change.record.and_then(|record| record.record) else { continue };
            entries.push(entry(change.header, sealed(record))?);
        }
        page.next_page_token
    };
    Ok((entries, next))
}

fn sealed(record: RegistryRecord) -> Sealed {
    match record {
        RegistryRecord::School(record) => Sealed::School(record),
        RegistryRecord::Campus(record) => Sealed::Campus(record),
        RegistryRecord::Class(record) => Sealed::Class(record),
        RegistryRecord::Pupil(record) => Sealed::Pupil(record),
        RegistryRecord::Staff(record) => Sealed::Staff(record),
        RegistryRecord::Enrolment(record) => Sealed::Enrolment(record),
        RegistryRecord::TermResult(record) => Sealed::TermResult(record),
        RegistryRecord::Health(record) => Sealed::Health(record),
        RegistryRecord::Attendance(record) => Sealed::Attendance(record),
        RegistryRecord::Retake(record) => Sealed::Retake(record),
        RegistryRecord::Graduation(record) => Sealed::Graduation(record),
        RegistryRecord::FreeCandidate(record) => Sealed::FreeCandidate(record),
    }
}

fn entry(header: Option<ChangeHeader>, record: Sealed) -> Result<Entry, Fault> {
    let broken = || Fault::new(Reason::Internal).detail("a sealed record came without a usable head");
    let header = header.ok_or_else(broken)?;
    let record_id = Uuid::parse_str(&header.record_id).map_err(|_| broken())?;
    Ok(Entry { record_id, record_key: header.record_key, version: header.version, record })
}
