//! A record prepared for storage.
use eduhub_changelog::ColumnValue;
use eduhub_faults::Problem;
use eduhub_rules::ParentRef;

/// A record prepared for storage: everything that can be known without the database.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Number of its kind.
    pub kind: i32,
    /// Full key in the school.
    pub record_key: String,
    /// School year for a yearly kind, else 0.
    pub school_year: i32,
    /// Keyed digest.
    pub digest: [u8; 16],
    /// Encoded message without secrets.
    pub body: Vec<u8>,
    /// Sealed secret.
    pub secret: Option<Vec<u8>>,
    /// Blind index of the secret.
    pub blind_index: Option<Vec<u8>>,
    /// Typed columns.
    pub columns: Vec<ColumnValue>,
    /// Records that it names.
    pub parents: Vec<ParentRef>,
    /// What was found in it.
    pub findings: Vec<Problem>,
    /// Position in its batch; none for a record that waited and comes with the batch of its parent.
    pub index: Option<u32>,
    /// Values that a mapping table replaced.
    pub translated: u32,
}

impl Incoming {
    /// True when a finding refuses it.
    pub fn refused(&self) -> bool {
        eduhub_rules::refuses(&self.findings)
    }
}
