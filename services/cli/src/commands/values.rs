//! Words of the command line for values of the API.
use clap::ValueEnum;
use eduhub_proto::common::v1 as common;
use prost_types::Timestamp;
use time::OffsetDateTime;

/// What is sealed and reviewed together.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Dataset {
    /// School, campuses, classes, pupils, enrolments, health.
    Pupils,
    /// Managers, teachers, staff.
    Staff,
    /// Results.
    Results,
    /// Rooms.
    Facilities,
}

impl From<Dataset> for common::Dataset {
    fn from(value: Dataset) -> Self {
        match value {
            Dataset::Pupils => Self::Pupils,
            Dataset::Staff => Self::Staff,
            Dataset::Results => Self::Results,
            Dataset::Facilities => Self::Facilities,
        }
    }
}

/// Reporting period.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Period {
    /// Start of the school year.
    Start,
    /// End of term 1.
    Mid,
    /// End of the school year.
    End,
}

impl From<Period> for common::Period {
    fn from(value: Period) -> Self {
        match value {
            Period::Start => Self::StartOfYear,
            Period::Mid => Self::MidYear,
            Period::End => Self::EndOfYear,
        }
    }
}

/// A kind by its name without prefix, e.g. `pupil` or `TERM_RESULT`.
pub fn kind(text: &str) -> Result<common::Kind, String> {
    let name = format!("KIND_{}", text.to_uppercase().replace([' ', '-'], "_"));
    common::Kind::from_str_name(&name).filter(|k| *k != common::Kind::Unspecified).ok_or_else(|| {
        let names = eduhub_proto::RECORDS.iter().map(|r| r.kind().as_str_name());
        let names: Vec<String> = names.map(|n| n.trim_start_matches("KIND_").to_lowercase()).collect();
        format!("one of {}", names.join(", "))
    })
}

/// A moment as people write it, in UTC.
pub fn moment(at: Option<&Timestamp>) -> String {
    let at = at.and_then(|t| OffsetDateTime::from_unix_timestamp(t.seconds).ok());
    at.map_or_else(String::new, |t| {
        format!("{} {:02}:{:02}:{:02}Z", t.date(), t.hour(), t.minute(), t.second())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_name() {
        assert_eq!(kind("term-result"), Ok(common::Kind::TermResult));
        assert_eq!(kind("PUPIL"), Ok(common::Kind::Pupil));
        assert!(kind("unspecified").is_err());
    }

    #[test]
    fn moments() {
        assert_eq!(moment(Some(&Timestamp { seconds: 0, nanos: 0 })), "1970-01-01 00:00:00Z");
        assert_eq!(moment(None), "");
    }
}
