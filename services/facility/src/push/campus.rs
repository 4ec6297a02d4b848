//! The campus of a room must be one of its school, as registry has them.
use crate::{peers::Campuses, records::FacilityRecords};
use async_trait::async_trait;
use eduhub_changelog::{ColumnValue, RecordSet};
use eduhub_faults::{Fault, Problem, Reason, error};
use eduhub_ingest::{Extra, Incoming};
use eduhub_proto::common::v1::Kind;
use std::collections::BTreeSet;

/// Field of a room that names its campus.
const FIELD: &str = "campus_code";

/// Refuses rooms on campuses that the school does not have. A room that names the school's own code stands on the main
/// site, which has no record of its own. A refused room is not held: registry's campuses come by another stream, and
/// nothing would tell this service of their coming; the vendor sends the campus, then the room again.
pub struct CampusCheck(pub Campuses);

#[async_trait]
impl Extra for CampusCheck {
    async fn check(&self, school_code: &str, _: i32, records: &mut [Incoming]) -> Result<(), Fault> {
        let column = FacilityRecords::table(Kind::Room as i32)
            .and_then(|table| table.columns.iter().position(|column| column.name == FIELD))
            .ok_or_else(|| Fault::internal("rooms have no column for their campus"))?;
        let named: BTreeSet<String> = records
            .iter()
            .filter_map(|r| campus(r, column))
            .filter(|c| *c != school_code)
            .map(str::to_owned)
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        let unknown = self.0.unknown(school_code, named).await?;
        for record in records {
            let missing = campus(record, column).filter(|c| unknown.contains(*c)).map(str::to_owned);
            if let Some(campus) = missing {
                let problem = refusal(record, campus);
                record.findings.push(problem);
            }
        }
        Ok(())
    }
}

/// Campus that a room names; none for one whose code is absent or malformed, which the rules refuse.
fn campus(record: &Incoming, column: usize) -> Option<&str> {
    if record.kind != Kind::Room as i32 || record.findings.iter().any(|f| f.field == FIELD) {
        return None;
    }
    match record.columns.get(column) {
        Some(ColumnValue::Text(code)) => Some(code),
        _ => None,
    }
}

fn refusal(record: &Incoming, campus: String) -> Problem {
    let mut problem = error(Reason::ParentMissing, FIELD);
    (problem.kind, problem.index) = (record.kind, record.index);
    // As the sender knows it: without the school year that leads a yearly kind's full key.
    let own_key = record.record_key.split_once('/').map_or(record.record_key.as_str(), |(_, key)| key);
    problem.record_key = own_key.to_owned();
    problem.value.clone_from(&campus);
    problem.parent_kind = Kind::Campus as i32;
    problem.parent_key = campus;
    problem
}
