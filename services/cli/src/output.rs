//! What people see: the only module that prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use crate::explain;
use crate::push::PushError;
use crate::watch::WatchError;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use tonic::Status;

/// Width of tables when there is no terminal.
const WIDTH: u16 = 80;

/// What a shell calls the end of a program whose reader has gone (128 + SIGPIPE).
const READER_GONE: i32 = 141;

/// One line on standard output. The program ends quietly when nobody reads it any more (`| head`).
pub fn line(text: impl Display) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}") {
        let gone = error.kind() == std::io::ErrorKind::BrokenPipe;
        std::process::exit(if gone { READER_GONE } else { 1 });
    }
}

/// One line on standard error: progress and notes, so that standard output stays for results.
pub fn note(text: impl Display) {
    eprintln!("{text}");
}

/// A status line on standard error that the next one replaces; nothing without a terminal.
pub fn status(text: impl Display) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{text}");
        let _ = std::io::stderr().flush();
    }
}

/// An error with its causes, one a line; a refusal with everything that it names.
pub fn error(error: &anyhow::Error) {
    eprintln!("eduhub: {}", explained(error));
}

fn explained(error: &anyhow::Error) -> String {
    let mut lines = Vec::new();
    for cause in error.chain() {
        if let Some(status) = refusal(cause) {
            lines.push(explain::full(status));
            break;
        }
        lines.push(cause.to_string());
    }
    lines.join("\n  because: ")
}

fn refusal<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Status> {
    if let Some(status) = error.downcast_ref::<Status>() {
        return Some(status);
    }
    match (error.downcast_ref::<PushError>(), error.downcast_ref::<WatchError>()) {
        (Some(PushError::Refused { status, .. }), _) | (_, Some(WatchError::Refused(status))) => Some(status),
        _ => None,
    }
}

/// A table with these heads, no wider than the terminal.
pub fn table(heads: &[&str], rows: Vec<Vec<String>>) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(WIDTH);
    }
    table.set_header(heads);
    table.add_rows(rows);
    // Ids stand in the first column: they are copied, so they stay in one piece.
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
    line(table);
}

/// A progress bar on standard error; nothing without a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar to `total` of `unit`; with 0 it only counts.
    pub fn new(name: &str, total: u64, unit: &str) -> Self {
        let (bar, shape) = match total {
            0 => (ProgressBar::new_spinner(), format!("{{spinner}} {{pos}} {unit}")),
            n => (ProgressBar::new(n), format!("{{bar:28}} {{pos}}/{{len}} {unit}")),
        };
        if let Ok(style) = ProgressStyle::with_template(&format!("{name:<10} {shape} {{per_sec}} {{msg}}")) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Where it stands.
    pub fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    /// A remark behind the bar.
    pub fn say(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// A whole number with thousands separated.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An enum value without its prefix, in small letters: `KIND_TERM_RESULT` as `term result`.
pub fn word(value: &str, prefix: &str) -> String {
    value.strip_prefix(prefix).unwrap_or(value).to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;
    use eduhub_faults::{Fault, Reason};

    #[test]
    fn numbers_and_words() {
        assert_eq!(
            ["0", "999", "1,000", "953,223"],
            [0, 999, 1_000, 953_223].map(number).each_ref().map(String::as_str)
        );
        assert_eq!(word("KIND_TERM_RESULT", "KIND_"), "term result");
    }

    #[test]
    fn a_refusal_is_told_in_full_whatever_wraps_it() {
        let status = || Status::from(Fault::new(Reason::GrantConflict).meta("grant_id", "g-1"));
        let plain = Err::<(), _>(status()).context("applying").unwrap_err();
        assert!(explained(&plain).starts_with("applying\n  because: GRANT_CONFLICT"));
        let push = PushError::Refused { school_code: "S".into(), status: Box::new(status()) };
        assert!(explained(&push.into()).contains("grant_id = g-1"));
    }
}
