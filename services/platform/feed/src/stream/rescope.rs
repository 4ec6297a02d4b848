//! A stream whose consumer may see something else than before.
use super::{Stream, unavailable};
use crate::{
    begun::Begun,
    head::{Seen, State},
    scope::View,
    wire::Reply,
};
use eduhub_changelog::{Phase, Position, RecordSet, SnapshotPoint};
use eduhub_faults::Fault;
use eduhub_proto::common::v1::ScopeChange;
use tokio::time::Instant;

impl<S: RecordSet> Stream<'_, S> {
    /// Looks now and then whether the view is still the caller's.
    pub(super) async fn look(&mut self) -> Result<(), Fault> {
        if !self.following.reach.moves() || self.looked_at.elapsed() < self.feed.limits.scope {
            return Ok(());
        }
        self.looked_at = Instant::now();
        match self.following.reach.again::<S>(&self.following.asked).await {
            Ok(view) => self.rescope(view).await,
            // Schools are looked up again soon; until then the consumer sees what it saw.
            Err(fault) => {
                tracing::warn!(reason = fault.reason().as_str_name(), "scope of a stream can't be looked up");
                Ok(())
            }
        }
    }

    /// Tells of a new view, then sends what it adds.
    pub(super) async fn rescope(&mut self, view: View) -> Result<(), Fault> {
        let change = self.begun.end(&view, self.held.change_to(&view));
        let Some(change) = change else {
            self.view = view;
            return Ok(());
        };
        self.begun = Begun::default();
        // Rows of what was added may be older than what was passed early: that comes again in its turn.
        self.ahead.clear();
        if change.reset {
            let state = self.state();
            self.phase = self.feed.snapshots.start(state.head.horizon, state.feed.pruned);
            (self.held, self.view) = (view.clone(), view);
            return self.tell(change).await;
        }
        let added = view.beyond(&self.held);
        self.held = self.held.within(&view);
        self.begun = Begun::between(&self.held, &view);
        self.tell(change).await?;
        for part in added {
            self.fill(part).await?;
        }
        (self.held, self.view) = (view.clone(), view);
        self.begun = Begun::default();
        // Even if nothing was in it: the next cursor says that the consumer has it.
        self.checkpoint(0, false).await
    }

    async fn tell(&mut self, change: ScopeChange) -> Result<(), Fault> {
        let cursor = self.cursor(self.phase.clone());
        let change = ScopeChange { cursor: cursor.clone(), ..change };
        self.put(Reply::scope(&change), &cursor).await
    }

    /// Sends the present rows of a part. The cursor stays where it is: after a break the part comes again. Changes of it that lie
    /// before its rows come with the tail and are known by their versions.
    async fn fill(&mut self, part: View) -> Result<(), Fault> {
        self.view = part;
        let mut phase = self.above_all_passed().await?;
        let cursor = self.cursor(self.phase.clone());
        while let Phase::Snapshot { horizon, kind, school_code, record_key } = phase {
            let point = SnapshotPoint { horizon, school_code, record_key };
            let step = self.feed.snapshots.step(&self.view, &point, kind).await;
            let step = step.map_err(|e| unavailable(&e))?;
            let mut at = 0;
            while let Some(cut) = self.cut(&step.page, at)? {
                at = cut.end;
                self.put(Reply::changes(&cut.parts, &cursor), &cursor).await?;
            }
            phase = step.next;
        }
        Ok(())
    }

    /// Start of a snapshot whose horizon is above all that the stream has passed: what lies between would come neither with its
    /// rows nor with the tail. A shared horizon may be older; so may the head that this process saw last, when the cursor is of
    /// another process.
    async fn above_all_passed(&self) -> Result<Phase, Fault> {
        let (passed, epoch) = (self.phase.resume(), self.first.feed.epoch);
        let above = |state: &State| Position { xid: state.head.horizon, seq: 0 } >= passed;
        let mut seen = self.seen.clone();
        // After a restore it is the loop that ends the stream.
        let fit = |state: &State| above(state) || state.feed.epoch != epoch;
        let fits = |seen: &Option<Seen>| seen.as_ref().is_some_and(|seen| fit(&seen.state));
        let state = seen.wait_for(fits).await.map_err(|_| Fault::stopping())?.as_ref().map(|seen| seen.state);
        let horizon = state.unwrap_or(self.first).head.horizon;
        Ok(Phase::Snapshot { horizon, kind: 0, school_code: String::new(), record_key: String::new() })
    }
}
