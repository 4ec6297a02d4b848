//! What a reader of records may see.
use eduhub_changelog::{Opener, RecordSet, StoredImage};
use eduhub_faults::Fault;
use eduhub_ingest::to_proto;
use eduhub_proto::common::v1::{ChangeHeader, ChangeOp, Kind};
use eduhub_vault::Vault;

/// A reader: opens stored images up to its sensitivity class.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Keys.
    pub vault: &'a Vault,
    /// Highest `Sensitivity` number.
    pub max_class: i32,
}

/// Head and masked record of an image; no record for a withdrawal.
pub type Seen<R> = (ChangeHeader, Option<R>);

impl Reader<'_> {
    /// Heads and masked records of images of one kind.
    pub fn all<S: RecordSet>(
        &self,
        kind: i32,
        images: &[StoredImage],
    ) -> Result<Vec<Seen<S::Record>>, Fault> {
        images.iter().map(|image| self.read::<S>(kind, image)).collect()
    }

    /// Head and masked record of an image.
    pub fn read<S: RecordSet>(&self, kind: i32, image: &StoredImage) -> Result<Seen<S::Record>, Fault> {
        let op = if image.withdrawn { ChangeOp::Withdraw } else { ChangeOp::Upsert };
        let header = ChangeHeader {
            record_id: image.record_id.to_string(),
            school_code: image.school_code.clone(),
            kind,
            record_key: image.record_key.clone(),
            op: op as i32,
            version: image.version,
            digest: image.digest.clone(),
            changed_at: Some(to_proto(image.changed_at)),
            snapshot: false,
        };
        if image.withdrawn {
            return Ok((header, None));
        }
        let opener = Opener { vault: self.vault, image, kind, max_class: self.max_class };
        let record = S::open(Kind::try_from(kind).unwrap_or_default(), &opener).map_err(Fault::internal)?;
        Ok((header, Some(record)))
    }
}
