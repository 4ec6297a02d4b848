//! What comes to the log, read once for all streams: a few round trips a turn, however many transactions it is of.
use crate::{
    early::Early,
    event::{Event, Page},
    shelf::{PAGE, Shelf},
};
use eduhub_changelog::{FeedIdentity, Position, RecordSet, Standing, news};
use eduhub_pg::DbError;
use sqlx::PgConnection;
use std::{collections::VecDeque, iter::Peekable, sync::Arc, vec};

/// Bytes of the newest pages that stay whatever else is read.
const RING_BYTES: usize = 16 << 20;
/// Entries read at once. A transaction with more waits for its turn.
const AT_ONCE: i64 = 8_000;

/// The newest pages of the log.
pub(crate) struct Live<S> {
    shelf: Arc<Shelf<S>>,
    ring: VecDeque<Arc<Page>>,
    early: Early,
    /// Position up to which the pages were read; `None` while nobody follows.
    end: Option<Position>,
}

impl<S: RecordSet> Live<S> {
    pub fn new(shelf: Arc<Shelf<S>>) -> Self {
        Self { shelf, ring: VecDeque::new(), early: Early::default(), end: None }
    }

    /// Nobody follows any more, or what was read is of another life of the database.
    pub fn forget(&mut self) {
        self.end = None;
        self.ring.clear();
        self.early = Early::default();
    }

    /// What streams may have ahead of its turn.
    pub fn early(&self) -> &Early {
        &self.early
    }

    /// Reads what came up to the head, and what is committed above the horizon.
    pub async fn follow(&mut self, conn: &mut PgConnection, standing: &Standing) {
        let head = standing.head.position;
        let mut end = self.end.unwrap_or(head);
        let wanted = self.early.wanted(standing);
        // Only then is there anything: the turns of a quiet log cost one statement.
        while end < head || !wanted.is_empty() {
            match self.read(conn, end, head, &wanted).await {
                Ok(reached) if reached < head => end = reached,
                Ok(_) => break,
                // Streams meet the same error when they ask for it, and tell their consumers.
                Err(error) => {
                    tracing::warn!(%error, "what is at the head of the log can't be read");
                    self.early.stop();
                    break;
                }
            }
        }
        self.end = Some(end.max(head));
        self.early.pass(standing.head.horizon);
        let mut held: usize = self.ring.iter().map(|p| p.weight()).sum();
        while held > RING_BYTES && self.ring.len() > 1 {
            held -= self.ring.pop_front().map_or(0, |p| p.weight());
        }
    }

    /// Reads a part; gives how far it went in order. What is early comes with the last part.
    async fn read(
        &mut self,
        conn: &mut PgConnection,
        after: Position,
        head: Position,
        wanted: &[i64],
    ) -> Result<Position, DbError> {
        let mut entries = news(conn, (after, head), &self.early.xids(), wanted, AT_ONCE).await?;
        // Read later than the entries: what was pruned before they were read shows here.
        if after < head && after < FeedIdentity::read(conn).await?.pruned {
            return Err(DbError::NoRow);
        }
        let mut reached = head;
        if entries.len() as i64 == AT_ONCE
            && let Some(last) = entries.last().map(|e| e.position)
        {
            if last <= head {
                reached = last;
                self.early.stop();
            } else {
                // Perhaps not whole.
                entries.retain(|e| e.position.xid < last.xid);
                self.early.stop_at(last.xid);
            }
        }
        let events = Shelf::<S>::events(conn, entries).await?;
        let (in_turn, early): (Vec<Event>, Vec<Event>) =
            events.into_iter().partition(|e| e.position <= reached);
        for page in between(after, reached, in_turn, self.early.up_to(reached)) {
            self.shelf.put(&page).await;
            self.ring.push_back(page);
        }
        for page in transactions(early) {
            self.shelf.put(&page).await;
            self.early.add(page);
        }
        Ok(reached)
    }
}

/// Pages of everything between two positions: of these events, and those that were read early.
fn between(after: Position, until: Position, events: Vec<Event>, early: Vec<Arc<Page>>) -> Vec<Arc<Page>> {
    let (mut pages, mut at, mut events) = (Vec::new(), after, events.into_iter().peekable());
    for page in early.into_iter().filter(|page| page.last > after) {
        cut(&mut pages, &mut at, &mut events, page.from);
        // Nothing lies between: this one only leads on.
        if at < page.from {
            pages.push(Arc::new(Page::of_log(at, vec![], page.from)));
        }
        at = page.last;
        pages.push(page);
    }
    cut(&mut pages, &mut at, &mut events, until);
    pages
}

/// Pages of the events up to a position.
fn cut(
    pages: &mut Vec<Arc<Page>>,
    at: &mut Position,
    events: &mut Peekable<vec::IntoIter<Event>>,
    until: Position,
) {
    loop {
        let mut some = Vec::new();
        while (some.len() as i64) < PAGE
            && let Some(event) = events.next_if(|e| e.position <= until)
        {
            some.push(event);
        }
        let Some(last) = some.last().map(|e| e.position) else { return };
        pages.push(Arc::new(Page::of_log(*at, some, last)));
        *at = last;
    }
}

/// Pages of whole transactions.
fn transactions(events: Vec<Event>) -> Vec<Arc<Page>> {
    let (mut pages, mut events) = (Vec::new(), events.into_iter().peekable());
    while let Some(xid) = events.peek().map(|e| e.position.xid) {
        let mut at = Position { xid, seq: 0 };
        cut(&mut pages, &mut at, &mut events, Position { xid, seq: i64::MAX });
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_changelog::StoredImage;

    fn at(xid: i64, seq: i64) -> Position {
        Position { xid, seq }
    }

    fn event(xid: i64, seq: i64) -> Event {
        let image = StoredImage {
            record_id: uuid::Uuid::nil(),
            school_code: String::new(),
            record_key: String::new(),
            version: 1,
            digest: vec![],
            body: vec![],
            secret: None,
            changed_at: time::OffsetDateTime::UNIX_EPOCH,
            withdrawn: false,
        };
        Event { position: at(xid, seq), kind: 1, image }
    }

    /// From, last and number of events of each page.
    fn shape(pages: &[Arc<Page>]) -> Vec<(Position, Position, usize)> {
        pages.iter().map(|p| (p.from, p.last, p.events.len())).collect()
    }

    #[test]
    fn transactions_are_pages_of_their_own_and_large_ones_several() {
        let large = (1..=1_500).map(|seq| event(7, seq));
        let events: Vec<Event> = [event(5, 1), event(5, 2)].into_iter().chain(large).collect();
        let expected =
            [(at(5, 0), at(5, 2), 2), (at(7, 0), at(7, 1_000), 1_000), (at(7, 1_000), at(7, 1_500), 500)];
        assert_eq!(shape(&transactions(events)), expected);
    }

    #[test]
    fn pages_that_were_early_take_their_places_without_a_gap() {
        let early = transactions(vec![event(5, 1), event(5, 2), event(6, 1)]);
        let in_turn = vec![event(3, 4), event(8, 1)];
        let pages = between(at(3, 2), at(8, 1), in_turn, early);
        let expected = [
            (at(3, 2), at(3, 4), 1),
            (at(3, 4), at(5, 0), 0),
            (at(5, 0), at(5, 2), 2),
            (at(5, 2), at(6, 0), 0),
            (at(6, 0), at(6, 1), 1),
            (at(6, 1), at(8, 1), 1),
        ];
        assert_eq!(shape(&pages), expected);
        assert_eq!(shape(&between(at(3, 2), at(3, 2), vec![], vec![])), []);
    }
}
