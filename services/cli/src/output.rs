//! What people see: the only module that prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Display;

/// One line on standard output.
pub fn line(text: impl Display) {
    println!("{text}");
}

/// One line on standard error: progress and notes, so that standard output stays for results.
pub fn note(text: impl Display) {
    eprintln!("{text}");
}

/// An error with its causes, one a line.
pub fn error(error: &anyhow::Error) {
    eprintln!("eduhub: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}

/// A progress bar on standard error; nothing without a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar to `total` of `unit`.
    pub fn new(name: &str, total: u64, unit: &str) -> Self {
        let template = format!("{name:<10} {{bar:28}} {{pos}}/{{len}} {unit} {{per_sec}} {{eta}}");
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Where it stands.
    pub fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
