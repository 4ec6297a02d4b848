//! Several records by name.
use crate::{
    as_of::At,
    reads::{Reads, images, table},
    view::Seen,
};
use eduhub_auth::Caller;
use eduhub_changelog::RecordSet;
use eduhub_faults::Fault;
use eduhub_proto::common::v1::{BatchGetRecordsRequest, RecordName};
use std::collections::{BTreeMap, HashMap};

/// Names in one call at most.
const MOST: usize = 500;

/// Records that were asked for by name.
pub struct Batch<R> {
    /// Those that are there, in the order of their names.
    pub found: Vec<Seen<R>>,
    /// Names of those that are not, in their order.
    pub absent: Vec<RecordName>,
}

impl<S: RecordSet> Reads<S> {
    /// Records of one school by name, live or as of a position: one statement for each kind.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED for the domain of a kind; INVALID_ARGUMENT for a kind that the service
    /// does not hold and for too many names; those of the position.
    pub async fn batch(
        &self,
        caller: &Caller,
        asked: &BatchGetRecordsRequest,
    ) -> Result<Batch<S::Record>, Fault> {
        if asked.names.len() > MOST {
            return Err(Fault::invalid("names", &format!("at most {MOST}")));
        }
        self.gate.any(caller, &asked.school_code, &S::domains()).await?;
        let mut keys: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
        for name in &asked.names {
            keys.entry(name.kind).or_default().push(&name.record_key);
        }
        for kind in keys.keys() {
            self.gate.kind(caller, &asked.school_code, *kind).await?;
        }
        let mut conn = self.conn().await?;
        let at = match &asked.as_of {
            Some(point) => Some(At::of(&mut conn, &asked.school_code, point).await?),
            None => None,
        };
        let reader = self.reader(caller);
        let mut seen = HashMap::new();
        for (kind, keys) in &keys {
            let table = table::<S>(*kind)?;
            for image in images(&mut conn, table, &asked.school_code, keys, at.as_ref()).await? {
                let record = reader.read::<S>(*kind, &image)?;
                seen.insert((*kind, image.record_key), record);
            }
        }
        if let Some(at) = at {
            at.confirm(&mut conn).await?;
        }
        drop(conn);
        let mut batch = Batch { found: Vec::with_capacity(seen.len()), absent: vec![] };
        for name in &asked.names {
            match seen.get(&(name.kind, name.record_key.clone())) {
                Some(record) => batch.found.push(record.clone()),
                None => batch.absent.push(name.clone()),
            }
        }
        Ok(batch)
    }
}
