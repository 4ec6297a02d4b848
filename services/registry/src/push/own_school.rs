//! A school's own record is the only one of its kind that its software may write.
use async_trait::async_trait;
use eduhub_faults::{Fault, Reason, error};
use eduhub_ingest::{Extra, Incoming};
use eduhub_proto::common::v1::Kind;

/// Refuses the record of another school.
pub struct OwnSchool;

#[async_trait]
impl Extra for OwnSchool {
    async fn check(&self, school_code: &str, _: i32, records: &mut [Incoming]) -> Result<(), Fault> {
        let others = |r: &&mut Incoming| r.kind == Kind::School as i32 && r.record_key != school_code;
        for record in records.iter_mut().filter(others) {
            // The same as for a school that does not exist: whether it does is not this caller's to know.
            let mut problem = error(Reason::SchoolNotFound, "school_code");
            (problem.kind, problem.index) = (record.kind, record.index);
            problem.record_key.clone_from(&record.record_key);
            record.findings.push(problem);
        }
        Ok(())
    }
}
