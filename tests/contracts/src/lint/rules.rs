//! What a migration must not do to tables that are full and in use.
use super::statements::{Statement, of};
use regex::Regex;
use std::fmt;

/// A statement that breaks a rule.
#[derive(Debug)]
pub struct Finding {
    pub rule: &'static str,
    statement: String,
    advice: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = self.statement.chars().take(90).collect();
        write!(f, "{}: {start} ({})", self.rule, self.advice)
    }
}

/// Name, what a statement looks like that breaks it, what the statement says when it does not, what to do instead.
type Rule = (&'static str, &'static str, Option<&'static str>, &'static str);

const RULES: [Rule; 13] = [
    (
        "index-blocks-writers",
        r"^create (unique )?index ",
        Some(r"^create (unique )?index concurrently if not exists "),
        "a file of its own that begins with -- no-transaction: create index concurrently if not exists",
    ),
    (
        "index-drop-blocks",
        r"^drop index ",
        Some(r"^drop index concurrently if exists "),
        "a file of its own that begins with -- no-transaction: drop index concurrently if exists",
    ),
    (
        "constraint-scans",
        r"\badd (constraint \w+ )?(check|foreign key|references)\b|\badd column [^;]* (references|check) ",
        Some(r"\bnot valid\b"),
        "add it not valid, and validate it in a migration of its own",
    ),
    (
        "constraint-scans",
        r"\badd (constraint \w+ )?(unique|primary key|exclude)\b",
        Some(r"\busing index\b"),
        "build a unique index concurrently, then add the constraint using it",
    ),
    (
        "column-not-null",
        r"\badd column [^;]*\bnot null\b",
        Some(r"\bdefault\b"),
        "an older binary writes rows without it: give a default, or leave it null",
    ),
    (
        "rewrites-table",
        r"\badd column [^;]*\b(default (gen_random_uuid|clock_timestamp|random|nextval|uuidv7)|generated (always|by default) as)",
        None,
        "a value that differs by row rewrites the table: add the column, fill it by the service",
    ),
    (
        "rewrites-table",
        r"\balter column \w+ (set data )?type\b",
        None,
        "add a column of the new type, write both, read the new one, drop the old one a release later",
    ),
    (
        "rewrites-table",
        r"^(vacuum full|cluster|reindex (table|index|schema) )|\bset (un)?logged\b|\bset tablespace\b",
        Some(r"\bconcurrently\b"),
        "it holds the table for as long as it copies it",
    ),
    (
        "drops",
        r"^drop (table|view|function|schema|type|sequence)\b|\bdrop (column|constraint|default|identity)\b",
        None,
        "contract: the oldest binary that still runs must no longer use it; say since when",
    ),
    ("renames", r"\brename\b", None, "the old binary knows the old name: add the new one beside it"),
    (
        "rewrites-rows",
        r"^(update|delete from|truncate|insert into [^;]* select|with [^;]*\b(update|delete from)\b)",
        None,
        "rows stay locked until the end: let the service fill them by pieces, or say why they are few",
    ),
    ("locks-table", r"^lock\b", None, "it waits for everybody and everybody for it"),
    (
        "sets-lock-timeout",
        r"\b(lock|statement)_timeout\b",
        None,
        "the migrator sets 0.8 s and tries again; longer stops the service",
    ),
];

/// Everything in a migration that breaks a rule; `earlier` are the statements of the migrations before it.
pub fn findings(sql: &str, earlier: &[Statement]) -> Vec<Finding> {
    let statements = of(sql);
    let made: Vec<String> =
        statements.iter().filter_map(|s| captured(r"^create table (?:if not exists )?(\w+)", s)).collect();
    let mut out = Vec::new();
    for statement in &statements {
        let table = captured(
            r"^alter table (?:only )?(\w+)|\bon (?:only )?(\w+)|^insert into (\w+)|^update (\w+)",
            statement,
        );
        // Nobody uses a table that the same migration makes.
        if table.is_some_and(|table| made.contains(&table)) {
            continue;
        }
        let broken = RULES.iter().filter(|(_, breaks, unless, _)| {
            matches(breaks, statement) && !unless.is_some_and(|unless| matches(unless, statement))
        });
        out.extend(broken.map(|(rule, _, _, advice)| finding(rule, statement, advice)));
        out.extend(unchecked_not_null(statement, earlier));
    }
    let concurrent = statements.iter().filter(|s| matches(r"\bconcurrently\b", s)).count();
    let outside = sql.starts_with("-- no-transaction");
    if (concurrent > 0 || outside) && (!outside || statements.len() != 1) {
        let advice =
            "what runs concurrently is the one statement of a file that begins with -- no-transaction";
        out.extend(statements.first().map(|first| finding("transaction", first, advice)));
    }
    out.retain(|f| {
        !statements.iter().any(|s| s.text == f.statement && s.allowed.iter().any(|a| a == f.rule))
    });
    out
}

/// `set not null` reads the whole table under the strongest lock, unless a validated check says already that there is none.
fn unchecked_not_null(statement: &Statement, earlier: &[Statement]) -> Option<Finding> {
    let column = captured(r"\balter column (\w+) set not null\b", statement)?;
    let check = format!(r"\badd constraint (\w+) check \(\s*{column} is not null\s*\) not valid");
    let proven = earlier.iter().filter_map(|s| captured(&check, s)).any(|name| {
        let validated = format!(r"\bvalidate constraint {name}\b");
        earlier.iter().any(|s| matches(&validated, s))
    });
    let advice = "first, in migrations before it: add constraint c check (x is not null) not valid; validate constraint c";
    (!proven).then(|| finding("set-not-null-scans", statement, advice))
}

fn finding(rule: &'static str, statement: &Statement, advice: &'static str) -> Finding {
    Finding { rule, statement: statement.text.clone(), advice }
}

fn matches(pattern: &str, statement: &Statement) -> bool {
    Regex::new(pattern).unwrap().is_match(&statement.text)
}

/// The first group that took part.
fn captured(pattern: &str, statement: &Statement) -> Option<String> {
    let found = Regex::new(pattern).unwrap().captures(&statement.text)?;
    found.iter().skip(1).flatten().next().map(|group| group.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(sql: &str, earlier: &str) -> Vec<&'static str> {
        findings(sql, &of(earlier)).iter().map(|f| f.rule).collect()
    }

    #[test]
    fn what_locks_out_is_found() {
        let cases = [
            ("create index a on pupil_record (x)", "index-blocks-writers"),
            ("create unique index a on pupil_record (x)", "index-blocks-writers"),
            ("drop index a", "index-drop-blocks"),
            ("create index concurrently if not exists a on t (x); select 1", "transaction"),
            ("create index concurrently if not exists a on t (x)", "transaction"),
            ("alter table t add constraint c check (x > 0)", "constraint-scans"),
            ("alter table t add foreign key (x) references u", "constraint-scans"),
            ("alter table t add column x uuid references u", "constraint-scans"),
            ("alter table t add constraint c unique (x)", "constraint-scans"),
            ("alter table t add column x int not null", "column-not-null"),
            ("alter table t add column x uuid default gen_random_uuid()", "rewrites-table"),
            ("alter table t alter column x type bigint", "rewrites-table"),
            ("vacuum full t", "rewrites-table"),
            ("alter table t drop column x", "drops"),
            ("drop table t", "drops"),
            ("alter table t rename column x to y", "renames"),
            ("update t set x = 1", "rewrites-rows"),
            ("insert into t (a) select a from u", "rewrites-rows"),
            ("lock table t", "locks-table"),
            ("set local lock_timeout = '30s'", "sets-lock-timeout"),
            ("alter table t alter column x set not null", "set-not-null-scans"),
        ];
        for (sql, rule) in cases {
            assert!(rules(sql, "").contains(&rule), "{sql}: {:?}", rules(sql, ""));
        }
    }

    #[test]
    fn what_locks_nobody_out_passes() {
        let cases = [
            "alter table t add column x int",
            "alter table t add column x int not null default 0",
            "alter table t add constraint c check (x > 0) not valid",
            "alter table t validate constraint c",
            "alter table t add constraint c unique using index c_index",
            "-- no-transaction\ncreate index concurrently if not exists a on t (x)",
            "-- no-transaction\ndrop index concurrently if exists a",
            "create table t (x int not null); create index a on t (x); alter table t add check (x > 0); insert into t select 1",
            "insert into office (code) values (1)",
            "-- lint-allow drops: the binaries since migration 7 do not name it\nalter table t drop column x",
        ];
        for sql in cases {
            assert_eq!(rules(sql, ""), [""; 0], "{sql}");
        }
        let checked = "alter table t add constraint c check (x is not null) not valid; alter table t validate constraint c";
        assert_eq!(rules("alter table t alter column x set not null", checked), [""; 0]);
    }
}
