//! `RESULTS.md`: what was measured when, with the command.
use crate::figure::Figure;
use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;
use time::OffsetDateTime;

/// Appends the figures with the machine's load and the command.
///
/// # Errors
/// When the file can't be written.
pub fn append(path: &Path, figures: &[Figure], load_before: &str) -> Result<()> {
    let mut file =
        std::fs::OpenOptions::new().append(true).open(path).with_context(|| path.display().to_string())?;
    let command: Vec<String> = std::env::args().skip(1).filter(|a| a != "--record").collect();
    let now = OffsetDateTime::now_utc();
    writeln!(
        file,
        "\n## {} {:02}:{:02} UTC: `scripts/bench {}`\n\nLoad average before: {load_before}; after: {}.\n\n```text",
        now.date(),
        now.hour(),
        now.minute(),
        command.join(" "),
        load()
    )?;
    for figure in figures {
        write!(file, "{}", figure.report())?;
        writeln!(file, "{}", figure.verdict())?;
    }
    writeln!(file, "```")?;
    Ok(())
}

/// Load average of one, five and fifteen minutes.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
