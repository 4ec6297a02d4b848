//! `eduhub rules`: packs of rules, and what one to come would find.
use super::registry::Registry;
use crate::output::{self, number, word};
use anyhow::Context;
use eduhub_proto::registry::v1::{
    ListRulePacksRequest, PublishRulePackRequest, RulePack, RuleSetting, RuleStrength, TryRulePackRequest,
};
use std::path::PathBuf;

/// Commands about packs of rules.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The published packs.
    List(Registry),
    /// Publish a pack (Department only) from a file of lines `rule<TAB>off|warning|error`.
    Publish(Publish),
    /// Count what a pack would find that the one in force does not; changes nothing.
    Try(Try),
}

/// Options of `eduhub rules publish`.
#[derive(Debug, clap::Args)]
pub struct Publish {
    /// Version, as in 2027.1.
    version: String,
    /// File of its rules; one that is not named is off.
    rules: PathBuf,
    /// First day, ISO date.
    #[arg(long)]
    from: String,
    /// First school year that it is for.
    #[arg(long)]
    school_year: i32,
    /// What it is for.
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    registry: Registry,
}

/// Options of `eduhub rules try`.
#[derive(Debug, clap::Args)]
pub struct Try {
    /// Version of a published pack.
    version: String,
    /// School year whose records are judged.
    #[arg(long)]
    school_year: i32,
    /// Only this school; else all in reach.
    #[arg(long)]
    school: Option<String>,
    #[command(flatten)]
    registry: Registry,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::List(registry) => list(&registry).await,
            Command::Publish(args) => args.run().await,
            Command::Try(args) => args.run().await,
        }
    }
}

async fn list(registry: &Registry) -> anyhow::Result<()> {
    let packs = registry.rules().await?.list_rule_packs(ListRulePacksRequest {}).await?.into_inner().packs;
    let rows = packs.into_iter().map(|p| {
        let on = p.rules.iter().filter(|r| r.strength != RuleStrength::Off as i32).count() as u64;
        let holds = if p.in_force { "in force" } else { "" };
        vec![p.version, p.valid_from, p.first_school_year.to_string(), number(on), holds.into(), p.note]
    });
    output::table(&["version", "from", "school year", "rules", "", "note"], rows.collect());
    Ok(())
}

/// Settings of a file, one a line; empty lines and those that begin with `#` say nothing.
fn settings(text: &str) -> anyhow::Result<Vec<RuleSetting>> {
    let lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#'));
    lines
        .map(|(i, line)| {
            let mut words = line.split_whitespace();
            let (rule, strength) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let strength = RuleStrength::from_str_name(&format!("RULE_STRENGTH_{}", strength.to_uppercase()))
                .filter(|s| *s != RuleStrength::Unspecified && words.next().is_none())
                .with_context(|| format!("line {}: a rule, then off, warning or error", i + 1))?;
            Ok(RuleSetting { rule: rule.to_owned(), strength: strength as i32, ..RuleSetting::default() })
        })
        .collect()
}

impl Publish {
    async fn run(self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.rules).with_context(|| self.rules.display().to_string())?;
        let pack = RulePack {
            version: self.version,
            first_school_year: self.school_year,
            valid_from: self.from,
            note: self.note,
            rules: settings(&text)?,
            ..RulePack::default()
        };
        let request = PublishRulePackRequest { pack: Some(pack) };
        let stored = self.registry.rules().await?.publish_rule_pack(request).await?.into_inner();
        output::line(format_args!("{} holds from {}", stored.version, stored.valid_from));
        Ok(())
    }
}

impl Try {
    async fn run(self) -> anyhow::Result<()> {
        let mut client = self.registry.rules().await?;
        let (mut rows, mut schools, mut records, mut token) = (Vec::new(), 0_u64, 0_u64, String::new());
        loop {
            let request = TryRulePackRequest {
                version: self.version.clone(),
                school_year: self.school_year,
                school_code: self.school.clone().unwrap_or_default(),
                page_size: 0,
                page_token: token,
            };
            let page = client.try_rule_pack(request).await?.into_inner();
            schools += u64::from(page.schools);
            records += page.records;
            output::status(format_args!("{schools} schools, {records} records"));
            rows.extend(page.counts.into_iter().map(|c| {
                let (kind, reason, severity) = (c.kind(), c.reason(), c.severity());
                let examples = c.examples.iter().take(3).cloned().collect::<Vec<_>>().join(" ");
                vec![
                    c.school_code,
                    word(kind.as_str_name(), "KIND_"),
                    word(reason.as_str_name(), "REASON_"),
                    word(severity.as_str_name(), "SEVERITY_"),
                    number(c.records),
                    examples,
                ]
            }));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        output::table(&["school", "kind", "reason", "", "records", "for example"], rows);
        output::line(format_args!("{} records of {} schools judged", number(records), number(schools)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_rules() {
        let read = settings("# 2027\npupil.tuition\terror\n\nclass.size off\n").unwrap();
        let seen: Vec<_> = read.iter().map(|s| (s.rule.as_str(), s.strength())).collect();
        assert_eq!(seen, [("pupil.tuition", RuleStrength::Error), ("class.size", RuleStrength::Off)]);
        for wrong in ["pupil.tuition", "pupil.tuition unspecified", "pupil.tuition error now"] {
            let told = settings(&format!("class.size off\n{wrong}")).unwrap_err().to_string();
            assert!(told.starts_with("line 2"), "{told}");
        }
    }
}
