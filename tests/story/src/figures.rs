//! The figures of a run: the tables at the end, and whether they agree with each other.
use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

/// What one stage did with records.
#[derive(Default, Clone)]
pub struct Stage {
    /// Name.
    pub name: &'static str,
    /// Records that went in.
    pub records: u64,
    /// Accepted.
    pub accepted: u64,
    /// Refused.
    pub rejected: u64,
    /// Waiting.
    pub held: u64,
    /// Already there.
    pub unchanged: u64,
    /// Seconds that the stage took.
    pub seconds: f64,
}

/// Everything that the tables show.
#[derive(Default)]
pub struct Figures {
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Single figures: what, figure.
    pub facts: Vec<(String, String)>,
    /// Disagreements; empty for a good run.
    pub wrong: Vec<String>,
}

impl Figures {
    /// Two figures that must be equal.
    pub fn agree<T: PartialEq + std::fmt::Display>(&mut self, what: &str, a: T, b: T) {
        if a != b {
            self.wrong.push(format!("{what}: {a} against {b}"));
        }
    }

    /// Something that must hold.
    pub fn hold(&mut self, what: impl Into<String>, holds: bool) {
        if !holds {
            self.wrong.push(what.into());
        }
    }

    /// A single figure.
    pub fn fact(&mut self, what: impl Into<String>, figure: impl std::fmt::Display) {
        self.facts.push((what.into(), figure.to_string()));
    }

    /// The stages as a table of at most 80 columns.
    pub fn stage_table(&self) -> String {
        let mut table = frame();
        table.set_header(["stage", "in", "accepted", "rejected", "held", "same", "s", "rec/s"]);
        for s in &self.stages {
            let rate = s.records as f64 / s.seconds.max(0.001);
            table.add_row([
                s.name.to_owned(),
                s.records.to_string(),
                s.accepted.to_string(),
                s.rejected.to_string(),
                s.held.to_string(),
                s.unchanged.to_string(),
                format!("{:.1}", s.seconds),
                format!("{rate:.0}"),
            ]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.to_string()
    }

    /// The single figures as a table of at most 80 columns.
    pub fn fact_table(&self) -> String {
        let mut table = frame();
        for (what, figure) in &self.facts {
            table.add_row([what, figure]);
        }
        table.to_string()
    }
}

/// An empty table of at most 80 columns.
pub fn frame() -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_width(80);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_fit_eighty_columns_even_at_full_size() {
        let big = Stage {
            name: "c. push facility",
            records: 9_999_999,
            accepted: 9_999_999,
            rejected: 99_999,
            held: 999_999,
            unchanged: 9_999_999,
            seconds: 600.5,
        };
        let figures = Figures { stages: vec![big], ..Figures::default() };
        assert!(figures.stage_table().lines().all(|l| l.chars().count() <= 80), "{}", figures.stage_table());
    }

    #[test]
    fn a_disagreement_is_kept() {
        let mut figures = Figures::default();
        figures.agree("rows", 1, 1);
        figures.agree("rows", 1, 2);
        assert_eq!(figures.wrong, ["rows: 1 against 2"]);
    }
}
