//! Messages cut from pages.
use super::Stream;
use crate::event::Page;
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};

/// Changes of one message.
pub(super) struct Cut<'p> {
    /// Their bytes, in runs.
    pub parts: Vec<&'p [u8]>,
    /// Index of the event after them.
    pub end: usize,
}

impl<S: RecordSet> Stream<'_, S> {
    /// The next message of a page from an event on; `None` when nothing more of it is shown.
    pub(super) fn cut<'p>(&self, page: &'p Page, from: usize) -> Result<Option<Cut<'p>>, Fault> {
        let shows = |i: usize| {
            let event = &page.events[i];
            self.view.shows(event.kind, &event.image.school_code) && !self.ahead.covers(event.position)
        };
        let total = page.events.len();
        let Some(first) = (from..total).find(|i| shows(*i)) else { return Ok(None) };
        let encoded = page.encoded::<S>(&self.feed.vault, self.view.max_class);
        let encoded = encoded.ok_or_else(|| Fault::new(Reason::Internal))?;
        let (mut parts, mut start, mut at) = (vec![], first, first);
        let (mut count, mut bytes) = (0, 0);
        while at < total && count < self.following.max_batch && bytes < self.feed.limits.message {
            if shows(at) {
                count += 1;
                bytes += encoded.slice(at..at + 1).len();
            } else {
                if start < at {
                    parts.push(encoded.slice(start..at));
                }
                start = at + 1;
            }
            at += 1;
        }
        parts.push(encoded.slice(start..at));
        // What follows and is not shown belongs to this message: its cursor passes over it.
        let end = (at..total).find(|i| shows(*i)).unwrap_or(total);
        Ok(Some(Cut { parts, end }))
    }
}
