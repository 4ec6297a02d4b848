//! Persons by name (decision 0013).
use crate::{
    reads::{Reads, table},
    view::Seen,
};
use eduhub_auth::Caller;
use eduhub_changelog::{Candidate, ColumnType, RecordSet, Table, Wanted, by_id, candidates};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::SearchRecordsRequest;
use eduhub_rules::fold;
use std::{cmp::Reverse, collections::HashMap};
use time::{Date, format_description::well_known::Iso8601};

/// Matches that are weighed at most.
const WEIGHED: usize = 1_000;
/// Letters of a name at most, accents as one with theirs.
const LETTERS: usize = 100;

/// Persons that were found.
pub struct Persons<R> {
    /// Best match first.
    pub found: Vec<Seen<R>>,
    /// There are more.
    pub more: bool,
}

impl<S: RecordSet> Reads<S> {
    /// Persons of one kind whose names have words that begin as the given ones.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND, NOT_FOUND for a commune out of reach; PERMISSION_DENIED for the domain, and when the
    /// caller may not see names; INVALID_ARGUMENT.
    pub async fn search(
        &self,
        caller: &Caller,
        asked: &SearchRecordsRequest,
    ) -> Result<Persons<S::Record>, Fault> {
        let table = table::<S>(asked.kind)?;
        may_search(table, caller)?;
        let question = Question::of(asked)?;
        let schools = self.schools(caller, asked).await?;
        let wanted =
            Wanted { words: &question.words, schools: schools.as_deref(), birth_date: question.birth_date };
        let mut conn = self.conn().await?;
        let mut matches = candidates(&mut conn, table, &wanted, WEIGHED as i64 + 1).await?;
        let more = matches.len() > question.limit;
        matches.truncate(WEIGHED);
        let best = question.best(matches);
        let ids: Vec<_> = best.iter().map(|candidate| candidate.record_id).collect();
        let images = if ids.is_empty() { vec![] } else { by_id(&mut conn, table, &ids).await? };
        drop(conn);
        let mut images: HashMap<_, _> = images.into_iter().map(|image| (image.record_id, image)).collect();
        // One that went in between is missing.
        let found = ids.iter().filter_map(|id| images.remove(id));
        let reader = self.reader(caller);
        let found = found.map(|image| reader.read::<S>(asked.kind, &image)).collect::<Result<_, _>>()?;
        Ok(Persons { found, more })
    }

    /// Schools to search in; `None` for the province.
    async fn schools(
        &self,
        caller: &Caller,
        asked: &SearchRecordsRequest,
    ) -> Result<Option<Vec<String>>, Fault> {
        if !asked.school_code.is_empty() {
            self.gate.kind(caller, &asked.school_code, asked.kind).await?;
            return Ok(Some(vec![asked.school_code.clone()]));
        }
        if !asked.commune_code.is_empty() {
            caller.require_commune(&asked.commune_code)?;
            return Ok(Some(self.gate.in_commune(&asked.commune_code).await?));
        }
        Ok(self.gate.reach(caller).await?.map(|schools| schools.into_iter().collect()))
    }
}

/// Requires that the kind has a searched name and that the caller may see it.
fn may_search(table: &Table, caller: &Caller) -> Result<(), Fault> {
    let words = table.columns.iter().find(|c| c.ty == ColumnType::Words);
    let name = words.and_then(|words| table.meta.field(words.field));
    let name = name.ok_or_else(|| Fault::invalid("kind", "has no name to search for"))?;
    caller.require_domain(table.meta.domain())?;
    if name.class > caller.max_class {
        return Err(Fault::new(Reason::Forbidden).meta("field", name.name));
    }
    Ok(())
}

/// A search that makes sense.
struct Question {
    folded: String,
    words: Vec<String>,
    birth_date: Option<Date>,
    limit: usize,
}

impl Question {
    fn of(asked: &SearchRecordsRequest) -> Result<Self, Fault> {
        let mut refused = Fault::new(Reason::InvalidRequest);
        let folded = if asked.name.chars().count() > LETTERS { String::new() } else { fold(&asked.name) };
        if folded.chars().filter(|c| *c != ' ').count() < 2 {
            refused = refused.violation("name", &format!("needs two to {LETTERS} letters"));
        }
        if !asked.commune_code.is_empty() && !asked.school_code.is_empty() {
            refused = refused.violation("commune_code", "only without school_code");
        }
        let born = Some(asked.birth_date.as_str()).filter(|day| !day.is_empty());
        let birth_date = born.map(|day| Date::parse(day, &Iso8601::DATE)).transpose();
        if birth_date.is_err() {
            refused = refused.violation("birth_date", "must be a day as YYYY-MM-DD");
        }
        let limit = match usize::try_from(asked.limit) {
            Ok(0) => 20,
            Ok(limit) => limit.min(100),
            Err(_) => {
                refused = refused.violation("limit", "must not be negative");
                0
            }
        };
        refused.into_result()?;
        let words = folded.split_terminator(' ').map(str::to_owned).collect();
        Ok(Self { folded, words, birth_date: birth_date.unwrap_or_default(), limit })
    }

    /// The best matches: the whole name, then its end (given names are called by it), then a part of it in this order, then
    /// whole words, then beginnings of words; among equals by name and school.
    fn best(&self, matches: Vec<Candidate>) -> Vec<Candidate> {
        let mut ranked: Vec<_> =
            matches.into_iter().map(|c| (Reverse(self.rank(&fold(&c.name))), c)).collect();
        ranked.sort_by(|(a, x), (b, y)| {
            (a, &x.name, &x.school_code, x.record_id).cmp(&(b, &y.name, &y.school_code, y.record_id))
        });
        ranked.into_iter().map(|(_, candidate)| candidate).take(self.limit).collect()
    }

    fn rank(&self, name: &str) -> u8 {
        let (spaced, wanted) = (format!(" {name} "), format!(" {} ", self.folded));
        let whole = |word: &String| name.split(' ').any(|w| w == word);
        match () {
            () if name == self.folded => 4,
            () if spaced.ends_with(&wanted) => 3,
            () if spaced.contains(&wanted) => 2,
            () if self.words.iter().all(whole) => 1,
            () => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn question(name: &str) -> Result<Question, Fault> {
        Question::of(&SearchRecordsRequest { name: name.into(), ..Default::default() })
    }

    #[test]
    fn the_nearest_names_come_first() {
        let names =
            ["Hương Thị Anh", "Nguyễn Hương", "Hương", "Nguyễn Thị Hương Giang", "Nguyễn Hướng Dương"];
        let matches = names.map(|name| Candidate {
            record_id: Uuid::nil(),
            school_code: "37".into(),
            name: name.into(),
        });
        let best = question("huong").unwrap().best(matches.to_vec());
        let best: Vec<&str> = best.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            best,
            ["Hương", "Nguyễn Hương", "Hương Thị Anh", "Nguyễn Hướng Dương", "Nguyễn Thị Hương Giang"]
        );
        let two = question("Giang Hương").unwrap().best(matches[3..].to_vec());
        assert_eq!(two[0].name, names[3], "both words, in another order");
    }

    #[test]
    fn questions_that_make_no_sense_are_refused() {
        for name in ["", "h", "--", "  ", "'|", &"a".repeat(101)] {
            assert!(question(name).is_err(), "{name}");
        }
        assert_eq!(question("O'Đ").unwrap().words, ["o", "d"]);
    }
}
