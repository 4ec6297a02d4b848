//! Held records whose parents arrived.
use crate::{
    held,
    incoming::Incoming,
    outcome::{Keys, Outcome},
    prepare::Preparer,
    records,
    session::db,
    stored::StoredRules,
};
use eduhub_changelog::{Opener, RecordSet, WriteContext};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::{
    common::v1::Kind,
    dictionary::{CLASS_SECRET, record_of},
};
use sqlx::PgConnection;

/// Rounds of admitting held records: each goes one level down the dependency order, which has three.
const MAX_ROUNDS: usize = 8;

/// Admits what waited for records that arrived, round by round: an admitted record may be awaited itself. `known` as in
/// [`records::decide`].
pub(crate) async fn admit<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    preparer: &Preparer<'_, S>,
    rules: &dyn StoredRules,
    max_held: i64,
    known: &mut Keys,
    out: &mut Outcome,
) -> Result<(), Fault> {
    let mut arrived = std::mem::take(&mut out.arrived);
    for _ in 0..MAX_ROUNDS {
        if arrived.is_empty() {
            break;
        }
        let waiting = held::take(conn, &who.school_code, &arrived).await.map_err(db)?;
        let incoming = waiting.iter().map(|w| reopen(preparer, w)).collect::<Result<Vec<_>, _>>()?;
        let before = out.counts;
        let tally = std::mem::take(&mut out.tally);
        let decided = records::decide::<S>(conn, who, incoming, max_held, known, out).await?;
        records::put(conn, who, rules, decided).await?;
        let round = std::mem::replace(&mut out.tally, tally);
        out.tally.admit(&round);
        // They were counted as held when they came: what becomes of them now is said by `admitted` alone, unless they
        // wait on for another parent, which changes nothing.
        let now = out.counts;
        let admitted =
            now.created + now.updated + now.unchanged - before.created - before.updated - before.unchanged;
        out.counts = before;
        out.counts.admitted += admitted;
        out.counts.rejected = now.rejected;
        arrived = std::mem::take(&mut out.arrived);
    }
    Ok(())
}

fn reopen<S: RecordSet>(preparer: &Preparer<'_, S>, waiting: &held::Waiting) -> Result<Incoming, Fault> {
    let kind = Kind::try_from(waiting.kind).unwrap_or_default();
    let opener =
        Opener { vault: preparer.vault, image: &waiting.image, kind: waiting.kind, max_class: CLASS_SECRET };
    let record = S::open(kind, &opener).map_err(Fault::internal)?;
    let year =
        if record_of(kind).is_some_and(|m| m.yearly) { waiting.school_year } else { preparer.school_year };
    let prepared = preparer.for_year(year).prepare(record, None);
    prepared.transpose().map_err(Fault::internal)?.ok_or_else(|| Fault::new(Reason::Internal))
}
