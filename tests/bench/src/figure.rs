//! A figure: a ratio beside its goal.
use std::fmt::Write;

/// A measured figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Number, as in `scripts/bench N`.
    pub number: u8,
    /// What it is.
    pub title: String,
    /// Parts; the worst decides.
    pub parts: Vec<Part>,
    /// What was measured, line by line.
    pub lines: Vec<String>,
}

/// One ratio of a figure.
#[derive(Clone, Debug)]
pub struct Part {
    /// What is compared.
    pub name: String,
    /// Measured.
    pub ratio: f64,
    /// At least so much; at most when `below`.
    pub goal: f64,
    /// The goal is an upper bound.
    pub below: bool,
}

impl Part {
    /// A ratio that must reach its goal.
    pub fn at_least(name: impl Into<String>, ratio: f64, goal: f64) -> Self {
        Self { name: name.into(), ratio, goal, below: false }
    }

    /// A ratio that must not pass its goal.
    pub fn at_most(name: impl Into<String>, ratio: f64, goal: f64) -> Self {
        Self { name: name.into(), ratio, goal, below: true }
    }

    /// Whether the goal is reached.
    pub fn ok(&self) -> bool {
        if self.below { self.ratio <= self.goal } else { self.ratio >= self.goal }
    }

    /// How far along the way to the goal: 1 is there.
    fn reached(&self) -> f64 {
        if self.below { self.goal / self.ratio.max(1e-9) } else { self.ratio / self.goal.max(1e-9) }
    }
}

impl Figure {
    /// Everything measured, for people.
    pub fn report(&self) -> String {
        let mut text = format!("figure {}: {}\n", self.number, self.title);
        for line in &self.lines {
            let _ = writeln!(text, "  {line}");
        }
        for part in &self.parts {
            let (sign, ok) = (if part.below { "<=" } else { ">=" }, if part.ok() { "ok" } else { "short" });
            let _ = writeln!(text, "  {}: {:.2} (goal {sign} {:.2}) {ok}", part.name, part.ratio, part.goal);
        }
        text
    }

    /// The line that ends the measurement: `figure 1: ratio 0.61 goal 0.50 ok`. Of several parts the worst is named.
    pub fn verdict(&self) -> String {
        let worst = self.parts.iter().min_by(|a, b| a.reached().total_cmp(&b.reached()));
        let Some(worst) = worst else { return format!("figure {}: not measured", self.number) };
        let ok = if worst.ok() { "ok" } else { "short" };
        format!("figure {}: ratio {:.2} goal {:.2} {ok}", self.number, worst.ratio, worst.goal)
    }
}

/// Every part of every figure, one line each, under a heading.
pub fn table(figures: &[Figure]) -> String {
    let parts = || figures.iter().flat_map(|f| f.parts.iter().map(move |p| (f.number, p)));
    let width = parts().map(|(_, p)| p.name.chars().count()).max().unwrap_or_default().max(4);
    let mut text = format!("{:>2}  {:width$}  {:>7}  {:>7}\n", "N", "what", "ratio", "goal");
    for (number, part) in parts() {
        let (sign, ok) = (if part.below { "<=" } else { ">=" }, if part.ok() { "ok" } else { "short" });
        let goal = format!("{sign} {:.2}", part.goal);
        let _ = writeln!(text, "{number:>2}  {:width$}  {:>7.2}  {goal:>7}  {ok}", part.name, part.ratio);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_part_decides() {
        let figure = Figure {
            number: 4,
            title: String::new(),
            parts: vec![Part::at_least("a", 0.8, 0.75), Part::at_most("b", 1.5, 1.2)],
            lines: vec![],
        };
        assert_eq!(figure.verdict(), "figure 4: ratio 1.50 goal 1.20 short");
        assert!(figure.report().contains("b: 1.50 (goal <= 1.20) short"));
        let lines: Vec<String> = table(&[figure]).lines().map(str::to_owned).collect();
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["4", "a", "0.80", ">=", "0.75", "ok"]);
        assert_eq!(
            lines[2].split_whitespace().collect::<Vec<_>>(),
            ["4", "b", "1.50", "<=", "1.20", "short"]
        );
    }
}
