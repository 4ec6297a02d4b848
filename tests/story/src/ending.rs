//! The end: do all figures agree?
use crate::{
    act::World,
    figures::{Figures, Stage as Row},
    ministry::{Transferred, still_wrong},
    people::People,
    push::Pushed,
    review::Reviewed,
    truth::{self, Finding, finding},
    watch::{Centre, registry_digest, until},
};
use anyhow::{Context, Result};
use eduhub_cli::copy::LocalCopy;
use eduhub_proto::{
    bridge::v1::LedgerState,
    common::v1::{ListIssuesRequest, Reason},
    registry::v1::issue_service_client::IssueServiceClient,
};
use eduhub_stack::Program;
use std::{collections::BTreeSet, time::Duration};

/// Everything that was played.
pub struct Story<'a> {
    /// Services and data.
    pub world: &'a World,
    /// Who took part.
    pub people: &'a People,
    /// Act c.
    pub pushed: &'a Pushed,
    /// Act e.
    pub reviewed: &'a Reviewed,
    /// Act f.
    pub transferred: &'a Transferred,
}

/// Compares everything with everything.
pub async fn check(story: &Story<'_>, centre: &mut Centre, figures: &mut Figures) -> Result<()> {
    defects(story, figures).await?;
    ministry(story, figures).await?;
    // A missing copy is a disagreement like any other: the tables are still worth seeing.
    if let Err(error) = copy(story, centre, figures).await {
        figures.wrong.push(format!("{error:#}; see {}", centre.log().display()));
    }
    Ok(())
}

/// Planted defects: found, missed, false alarms.
async fn defects(story: &Story<'_>, figures: &mut Figures) -> Result<()> {
    let mut found: BTreeSet<Finding> = story.pushed.findings.clone();
    for school in &story.world.province.schools {
        found.extend(mismatches(story, &school.school_code).await?);
    }
    let verdict = truth::compare(&story.world.truth, &found);
    for (reason, count) in &verdict.found {
        figures.fact(format!("  {reason}"), count);
    }
    let total: u64 = verdict.found.values().sum();
    let summary = format!("{total} / {} / {}", verdict.missed.len(), verdict.false_alarms.len());
    figures.fact("planted defects found / missed / false alarms", summary);
    for (name, list) in [("missed", &verdict.missed), ("false alarm", &verdict.false_alarms)] {
        for f in list.iter().take(5) {
            let reason = Reason::try_from(f.3).unwrap_or_default().as_str_name();
            figures.wrong.push(format!("{name}: {reason} on kind {} of school {}", f.1, f.0));
        }
        figures.agree(&format!("defects: {name}"), list.len(), 0);
    }
    Ok(())
}

/// Open POPULATION_MISMATCH issues of a school.
async fn mismatches(story: &Story<'_>, school: &str) -> Result<BTreeSet<Finding>> {
    let officer = story.people.schools.get(school).context("school without officer")?;
    let mut client = IssueServiceClient::new(officer.at(Program::Registry));
    let (mut out, mut page_token) = (BTreeSet::new(), String::new());
    loop {
        let request = ListIssuesRequest {
            school_code: school.to_owned(),
            page_size: 1_000,
            page_token,
            ..Default::default()
        };
        let page = client.list_issues(request).await?.into_inner();
        for issue in page.issues {
            let problem = issue.problem.unwrap_or_default();
            if problem.reason == Reason::PopulationMismatch as i32 {
                out.insert(finding(school, &problem));
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(out);
        }
    }
}

/// Row of the Ministry's act.
pub fn ministry_row(out: &Transferred, seconds: f64, figures: &mut Figures) {
    let accepted = out.in_state(LedgerState::Accepted) + out.in_state(LedgerState::Stale);
    let rejected = out.in_state(LedgerState::Rejected)
        + out.in_state(LedgerState::Blocked)
        + out.in_state(LedgerState::Dead);
    let records: u64 = out.states.values().sum();
    figures.stages.push(Row { name: "f. Ministry", records, accepted, rejected, seconds, ..Row::default() });
    figures.fact("xlsx files, rows confirmed as entered", format!("{}, {}", out.files, out.entered));
    figures.agree("ledger rows with an answer or entered", accepted + rejected + out.entered, records);
    figures.agree("rows entered by hand", out.in_state(LedgerState::Entered), out.entered);
}

/// The bridge's account against the Ministry's own.
async fn ministry(story: &Story<'_>, figures: &mut Figures) -> Result<()> {
    let out = story.transferred;
    let state = story.world.simulators.state().await?;
    let rejected = still_wrong(&state, "rejected");
    figures.fact(
        "Ministry: refused on purpose / refused in all",
        format!("{} / {}", rejected.len(), out.refused.len()),
    );
    figures.hold("a refusal of the Ministry did not reach its school", rejected.is_subset(&out.refused));
    // What was refused is not held there either, and reconciliation says so.
    let forgotten: BTreeSet<String> = out.missing.difference(&out.refused).cloned().collect();
    figures.agree(
        "refused records that reconciliation misses",
        out.refused.difference(&out.missing).count(),
        0,
    );
    for (name, ours) in [("altered", &out.differing), ("forgotten", &forgotten), ("ghosts", &out.extra)] {
        let theirs = still_wrong(&state, name);
        figures.fact(
            format!("Ministry: {name} / found by reconciliation"),
            format!("{} / {}", theirs.len(), ours.len()),
        );
        figures.hold(
            format!("reconciliation of {name} records disagrees with what the Ministry did"),
            theirs == *ours,
        );
    }
    let open = [LedgerState::Waiting, LedgerState::Queued, LedgerState::Sent, LedgerState::Exported];
    for state in open {
        figures.agree(&format!("ledger rows left as {}", state.as_str_name()), out.in_state(state), 0);
    }
    figures.agree(
        "submissions transferred",
        story.reviewed.approved,
        story.reviewed.submissions.len() as u64,
    );
    Ok(())
}

/// The operations centre's copy against registry: 0 lost, 0 extra.
async fn copy(story: &Story<'_>, centre: &mut Centre, figures: &mut Figures) -> Result<()> {
    let (path, admin) = (centre.copy().to_owned(), &story.people.admin);
    let schools: Vec<&str> = story.world.province.schools.iter().map(|s| s.school_code.as_str()).collect();
    let caught_up = until("the operations centre to catch up", Duration::from_secs(30), || async {
        // Not there yet, or a frame is half written at this moment.
        let Ok(copy) = LocalCopy::read(&path) else { return Ok(false) };
        for school in &schools {
            let (_, digest) = registry_digest(admin, school).await?;
            if copy.digest_of(school).digest != digest {
                return Ok(false);
            }
        }
        Ok(true)
    })
    .await;
    centre.stop().await?;
    let copy = LocalCopy::read(&path)?;
    let (mut lost, mut extra, mut same) = (0, 0, 0);
    for school in &schools {
        let (records, digest) = registry_digest(admin, school).await?;
        let own = copy.digest_of(school);
        let mine: u64 = own.counts.iter().map(|c| c.count).sum();
        lost += records.saturating_sub(mine);
        extra += mine.saturating_sub(records);
        same += u64::from(own.digest == digest);
    }
    figures
        .fact("feed: live records in the copy, centre killed", format!("{}, {}", copy.len(), centre.kills));
    figures.fact("feed: records lost / extra", format!("{lost} / {extra}"));
    figures.fact("feed: schools with equal digest", format!("{same} of {}", schools.len()));
    figures.agree("schools whose copy equals registry", same, schools.len() as u64);
    if let Err(error) = caught_up {
        figures.wrong.push(format!("{error:#}; see {}", centre.log().display()));
    }
    Ok(())
}
