//! SQL text taken apart, as far as the rules need it.

/// A statement: its words in small letters with single spaces, and what the comments before it allow.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    pub text: String,
    pub allowed: Vec<String>,
}

/// The statements of a migration. Texts in quotes are left out: no rule reads them.
pub fn of(sql: &str) -> Vec<Statement> {
    let mut out = Vec::new();
    let mut now = Statement::default();
    let mut rest = sql;
    while let Some(next) = rest.chars().next() {
        let skip = match next {
            '-' if rest.starts_with("--") => {
                let line = rest.lines().next().unwrap_or_default();
                now.allowed.extend(allowed(line));
                line.len()
            }
            '\'' => 1 + rest[1..].find('\'').map_or(rest.len() - 1, |end| end + 1),
            '$' => dollar_quoted(rest),
            ';' => {
                out.push(std::mem::take(&mut now));
                1
            }
            other => {
                now.text.extend(other.to_lowercase());
                other.len_utf8()
            }
        };
        rest = &rest[skip..];
    }
    out.push(now);
    for statement in &mut out {
        statement.text = statement.text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    out.retain(|s| !s.text.is_empty());
    out
}

/// `-- lint-allow rule: reason`, only with a reason.
fn allowed(line: &str) -> Option<String> {
    let (rule, reason) = line.trim_start_matches('-').trim().strip_prefix("lint-allow ")?.split_once(':')?;
    (reason.trim().len() >= 10).then(|| rule.trim().to_owned())
}

/// Length of a body in dollar quotes, or of the dollar alone.
fn dollar_quoted(text: &str) -> usize {
    let Some(tag) = text[1..].find('$').map(|end| &text[..end + 2]) else { return 1 };
    if !tag[1..tag.len() - 1].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return 1;
    }
    text[tag.len()..].find(tag).map_or(1, |end| end + 2 * tag.len())
}

#[test]
fn statements_are_told_apart() {
    let sql = "-- Why; not.\nSELECT 'a;b' ;\ncreate function f() as $body$ begin; end $body$ language sql;\n\
               -- lint-allow drops: nobody has read it since migration 7\nDrop  Table x;-- end";
    let read = of(sql);
    let texts: Vec<&str> = read.iter().map(|s| s.text.as_str()).collect();
    assert_eq!(texts, ["select", "create function f() as language sql", "drop table x"]);
    assert_eq!(read[2].allowed, ["drops"]);
    assert!(of("-- lint-allow drops: so\ndrop table x")[0].allowed.is_empty(), "without a reason");
}
