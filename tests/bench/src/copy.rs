//! The yardstick of writing: binary COPY of the same rows into the same indexed table.
use crate::ground::{Ground, run};
use anyhow::Result;
use futures::TryStreamExt;

/// Bytes in one message to the server.
const CHUNK: usize = 1 << 16;

/// Rows of the pupil table as binary COPY gives them, in the order in which they were written.
pub struct Rows(Vec<u8>);

impl Rows {
    /// Reads what a load has written.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(ground: &mut Ground) -> Result<Self> {
        let sql = "copy (select * from pupil_record order by xid, seq) to stdout (format binary)";
        let stream = ground.outside.copy_out_raw(sql).await?;
        let bytes = stream.try_fold(Vec::new(), |mut all, part| async move {
            all.extend_from_slice(&part);
            Ok(all)
        });
        Ok(Self(bytes.await?))
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes an empty table with the same columns, checks and indexes.
    ///
    /// # Errors
    /// The database's.
    pub async fn prepare(&self, ground: &mut Ground) -> Result<()> {
        run(&mut ground.outside, "drop table if exists bench_copy").await?;
        run(&mut ground.outside, "create table bench_copy (like pupil_record including all)").await?;
        run(&mut ground.outside, "checkpoint").await
    }

    /// Copies the rows in, in one transaction. Gives their number.
    ///
    /// # Errors
    /// The database's.
    pub async fn copy(&self, ground: &mut Ground) -> Result<usize> {
        let mut copy = ground.outside.copy_in_raw("copy bench_copy from stdin (format binary)").await?;
        for chunk in self.0.chunks(CHUNK) {
            copy.send(chunk).await?;
        }
        Ok(usize::try_from(copy.finish().await?)?)
    }
}
