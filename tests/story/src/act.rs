//! The acts in order.
use crate::{
    Args, ending,
    figures::{Figures, Stage as Row},
    keep,
    ministry::{self, Simulators, Transferred, transfer},
    people::{self, People},
    push::{self, Cargo, Pushed},
    review::{self, Reviewed},
    stage::Stage,
    truth::refuses,
    watch::{Centre, until},
};
use anyhow::{Context, Result, ensure};
use eduhub_cast::Doors;
use eduhub_cli::generate::{self, Options, Province, School, Settings, Truth};
use eduhub_proto::{
    approval::v1::SubmissionState,
    common::v1::Dataset,
    registry::v1::{GetVerificationRequest, VerificationCounts, issue_service_client::IssueServiceClient},
};
use eduhub_stack::{Program, Stack, StackConfig};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The day on which the story plays: the end of the generated school year, when all has been examined again and decided.
const TODAY: &str = "2027-08-28";

/// What all acts need.
pub struct World {
    /// Running services.
    pub stack: Stack,
    /// Ways to them.
    pub doors: Doors,
    /// Generated schools.
    pub province: Province,
    /// Planted defects.
    pub truth: Vec<Truth>,
    /// Generated files.
    pub data: PathBuf,
    /// Logs and exports.
    pub dir: PathBuf,
    /// Simulated outside systems.
    pub simulators: Simulators,
}

/// Plays everything; gives the disagreements.
pub async fn play(args: &Args, stage: &Stage) -> Result<Vec<String>> {
    let started = Instant::now();
    let mut figures = Figures::default();
    let world = open(args, stage, &mut figures).await?;
    let people = people::appoint(&world.stack, &world.province, stage).await?;
    stage.say(format!("              a second vendor was refused: {}", people.refusal));
    let mut centre = Centre::start(&world.doors, &world.stack.certs().ca, &people.centre, &world.dir)?;

    let mut pushed = pushes(&world, &people, stage, &mut figures).await?;
    centre.kill_and_restart().await?;
    let careless = careless(&world, &pushed);
    mend_all_but(&world, &people, careless.as_ref(), stage, &mut figures, &mut pushed).await?;
    verify(&world, &people, Duration::from_secs(120), stage, &mut figures).await?;
    let reviewed = reviews(&world, &people, careless.as_ref(), stage, &mut figures, &mut pushed).await?;
    let transferred = to_the_ministry(&world, &people, &reviewed, stage, &mut figures).await?;

    let story = ending::Story {
        world: &world,
        people: &people,
        pushed: &pushed,
        reviewed: &reviewed,
        transferred: &transferred,
    };
    ending::check(&story, &mut centre, &mut figures).await?;
    if let Some(bytes) = world.stack.peak_resident_bytes(Program::Registry) {
        figures.fact("registry: most memory in use, MiB", bytes >> 20);
        figures.hold("registry used more than 256 MiB", bytes < 256 << 20);
    }
    figures.fact("whole story, seconds", format!("{:.0}", started.elapsed().as_secs_f64()));
    stage.say(figures.stage_table());
    stage.say(figures.fact_table());
    if args.keep {
        keep::hold(&world, &people, &centre, stage).await?;
    }
    centre.stop().await?;
    let forced = world.stack.stop().await?;
    figures.hold(format!("had to be killed: {forced:?}"), forced.is_empty());
    Ok(figures.wrong)
}

/// Act a, and the curtain: data, services, simulators.
pub async fn open(args: &Args, stage: &Stage, figures: &mut Figures) -> Result<World> {
    let dir = args.dir.clone();
    std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    let dir = dir.canonicalize()?;
    for leftover in ["logs", "exports", "centre.copy"] {
        let path = dir.join(leftover);
        let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
    }
    let data = dir.join("data");
    let bar = stage.bar("a. generate", args.schools as u64, "schools");
    let options =
        Options { seed: args.seed, schools: args.schools, clean: true, ..Options::new(data.clone()) };
    let mut shown = 0;
    let summary =
        generate::generate(&options, &Settings { whole_year: true, ..Settings::ninh_binh() }, |s, _| {
            bar.add((s.schools - shown) as u64);
            shown = s.schools;
        })?;
    let seconds = bar.finish();
    let records = (summary.records + summary.rooms) as u64;
    figures.stages.push(Row { name: "a. generate", records, accepted: records, seconds, ..Row::default() });
    figures.fact(
        "learners, classes, staff",
        format!("{}, {}, {}", summary.learners, summary.classes, summary.staff),
    );
    figures.fact(
        "planted defects (of them refuse a record)",
        format!("{} ({})", summary.defects, summary.refused),
    );

    let mut config = StackConfig::new(args.database_url.clone(), dir.join("stack"));
    config.redis_url.clone_from(&args.redis_url);
    for program in [Program::Registry, Program::Facility] {
        config = config.with_env(program, "EDUHUB_TODAY", TODAY);
    }
    let stack = Stack::start(config).await?;
    stage.say(format!("services are up; logs in {}", stack.logs().display()));
    let simulators = Simulators::at(stack.url(Program::Simulators));
    simulators.populate(std::fs::read(data.join("population.jsonl"))?).await?;
    let doors = Doors::of(&stack)?;
    let province = generate::read_province(&data.join("province.json"))?;
    let truth = generate::read_truth(&data.join("truth.jsonl"))?;
    Ok(World { stack, doors, province, truth, data, dir, simulators })
}

/// Act c.
async fn pushes(world: &World, people: &People, stage: &Stage, figures: &mut Figures) -> Result<Pushed> {
    let schools: Vec<&School> = world.province.schools.iter().collect();
    let total = push::count(&world.data, &schools, Cargo::Registry)?;
    let bar = push::bar(stage, "c. push", total);
    let pushed = push::push(
        &world.doors,
        people,
        &world.province,
        &schools,
        Cargo::Registry.into(),
        &world.data,
        &bar,
    )
    .await?;
    figures.stages.push(push::row("c. push", &pushed, bar.finish()));
    figures.agree("records pushed against records generated", pushed.records, total);
    figures.hold("no connection was cut", pushed.cuts > 0);
    figures.fact("connections cut and resumed", pushed.cuts);

    let rooms = push::count(&world.data, &schools, Cargo::Facility)?;
    let bar = push::bar(stage, "c. rooms", rooms);
    let facility = push::push(
        &world.doors,
        people,
        &world.province,
        &schools,
        Cargo::Facility.into(),
        &world.data,
        &bar,
    )
    .await?;
    figures.stages.push(push::row("c. rooms", &facility, bar.finish()));
    figures.agree("rooms accepted against rooms generated", facility.totals.created, rooms);
    Ok(pushed)
}

/// The school that submits although records were refused: the one with most of them.
fn careless(world: &World, pushed: &Pushed) -> Option<School> {
    let refused = |s: &&School| pushed.refused.iter().filter(|(code, ..)| *code == s.school_code).count();
    world.province.schools.iter().max_by_key(refused).filter(|s| refused(s) > 0).cloned()
}

async fn mend(
    world: &World,
    people: &People,
    schools: &[&School],
    name: &'static str,
    stage: &Stage,
    figures: &mut Figures,
) -> Result<Pushed> {
    let total = push::count(&world.data, schools, Cargo::Fixed)?;
    let bar = push::bar(stage, name, total);
    let mended =
        push::push(&world.doors, people, &world.province, schools, Cargo::Fixed.into(), &world.data, &bar)
            .await?;
    figures.stages.push(push::row(name, &mended, bar.finish()));
    figures.agree("mended records that were refused again", mended.totals.rejected, 0);
    figures.agree("mended records accepted", mended.totals.created + mended.totals.updated, total);
    Ok(mended)
}

async fn mend_all_but(
    world: &World,
    people: &People,
    careless: Option<&School>,
    stage: &Stage,
    figures: &mut Figures,
    pushed: &mut Pushed,
) -> Result<()> {
    let other = |s: &&School| careless.is_none_or(|c| c.school_code != s.school_code);
    let schools: Vec<&School> = world.province.schools.iter().filter(other).collect();
    let mended = mend(world, people, &schools, "c. mended", stage, figures).await?;
    pushed.totals.admitted += mended.totals.admitted;
    pushed.findings.extend(mended.findings);
    Ok(())
}

/// Act d: waits until every person with a number was asked for.
pub async fn verify(
    world: &World,
    people: &People,
    patience: Duration,
    stage: &Stage,
    figures: &mut Figures,
) -> Result<()> {
    let bar = stage.bar("d. verify", world.province.schools.len() as u64, "schools");
    let mut sum = VerificationCounts::default();
    for school in &world.province.schools {
        let officer = people.schools.get(&school.school_code).context("school without officer")?;
        let client = IssueServiceClient::new(officer.at(Program::Registry));
        let code = &school.school_code;
        let ask = || {
            let mut client = client.clone();
            let request = GetVerificationRequest { school_code: code.clone() };
            async move { anyhow::Ok(client.get_verification(request).await?.into_inner()) }
        };
        until(&format!("verification of {code}"), patience, || async {
            let counts: VerificationCounts = ask().await?;
            Ok(counts.pending == 0)
        })
        .await?;
        let counts = ask().await?;
        sum.verified += counts.verified;
        sum.mismatch += counts.mismatch;
        sum.not_found += counts.not_found;
        sum.without_id += counts.without_id;
        bar.add(1);
    }
    let seconds = bar.finish();
    let wrong = sum.mismatch + sum.not_found;
    let records = sum.verified + wrong;
    figures.stages.push(Row {
        name: "d. verify",
        records,
        accepted: sum.verified,
        rejected: wrong,
        seconds,
        ..Row::default()
    });
    figures.fact("persons without a number", sum.without_id);
    Ok(())
}

/// Act e.
async fn reviews(
    world: &World,
    people: &People,
    careless: Option<&School>,
    stage: &Stage,
    figures: &mut Figures,
    pushed: &mut Pushed,
) -> Result<Reviewed> {
    let mut out = Reviewed::default();
    let started = Instant::now();
    if let Some(school) = careless {
        out = returned_once(world, people, school, stage, figures, pushed).await?;
    }
    let bar = stage.bar("e. review", world.province.schools.len() as u64, "schools");
    for school in &world.province.schools {
        let officer = people.schools.get(&school.school_code).context("school without officer")?;
        if careless.is_none_or(|c| c.school_code != school.school_code) {
            let submission =
                review::submit(officer, &world.province, &school.school_code, Dataset::Pupils, false).await?;
            let approved = review::approve(people, submission, &mut out).await?;
            out.submissions.push((school.school_code.clone(), Dataset::Pupils, approved));
        }
        review::others(people, &world.province, school, &mut out).await?;
        bar.add(1);
    }
    bar.finish();
    for (school, _, submission) in &out.submissions {
        let school =
            world.province.schools.iter().find(|s| s.school_code == *school).context("unknown school")?;
        let last = review::is_last_approved(people, &world.province, school, submission).await?;
        figures.hold(format!("{} is not the last approved one", submission.submission_id), last);
    }
    let sealed: u64 = out.sealed.values().sum();
    let seconds = started.elapsed().as_secs_f64();
    figures.stages.push(Row {
        name: "e. review",
        records: out.read,
        accepted: sealed,
        seconds,
        ..Row::default()
    });
    figures.fact("submissions approved, returned", format!("{}, {}", out.approved, out.returned));
    figures.fact("records sealed and approved", sealed);
    Ok(out)
}

/// A school submits with refused records, gets it back, mends, and submits again.
async fn returned_once(
    world: &World,
    people: &People,
    school: &School,
    stage: &Stage,
    figures: &mut Figures,
    pushed: &mut Pushed,
) -> Result<Reviewed> {
    let mut out = Reviewed::default();
    let code = &school.school_code;
    let officer = people.schools.get(code).context("school without officer")?;
    let first = review::submit(officer, &world.province, code, Dataset::Pupils, true).await?;
    let refused: Vec<_> =
        pushed.refused.iter().filter(|r| r.0 == *code).map(|r| (r.1, r.2.clone())).collect();
    review::send_back(people, &first, &refused, &mut out).await?;
    stage.say(format!("              {}: returned with {} reasons", school.name, refused.len().min(20)));
    let mended = mend(world, people, &[school], "e. mended", stage, figures).await?;
    pushed.totals.admitted += mended.totals.admitted;
    pushed.findings.extend(mended.findings);
    let second = review::submit(officer, &world.province, code, Dataset::Pupils, false).await?;
    ensure!(second.cycle == first.cycle + 1, "a new submission must be a new cycle");
    out.differing = review::difference(people, &second, &first).await?;
    // Exactly what was mended, and what had waited for it, differs from the returned seal.
    let came = mended.totals.created + mended.totals.updated + mended.totals.admitted;
    let elsewhere = not_in_dataset(world, code)?;
    figures.agree("records that differ between the two seals", out.differing, came - elsewhere);
    let approved = review::approve(people, second, &mut out).await?;
    out.submissions.push((code.clone(), Dataset::Pupils, approved));
    Ok(out)
}

/// Records of a school that came with its mending but are of another dataset than its pupils: results, retakes and absences of
/// the pupils that were refused, and staff.
fn not_in_dataset(world: &World, school: &str) -> Result<u64> {
    let refused: std::collections::HashSet<&str> = world
        .truth
        .iter()
        .filter(|t| t.school_code == school && refuses(t) && t.kind == "PUPIL")
        .map(|t| t.record_key.as_str())
        .collect();
    let text = std::fs::read_to_string(world.data.join(school).join("registry.jsonl"))?;
    let mut count = 0;
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line)?;
        let kinds = ["term_result", "attendance", "retake"];
        let codes = kinds.iter().filter_map(|kind| value[kind]["student_code"].as_str());
        count += codes.filter(|code| refused.contains(code)).count() as u64;
    }
    let staff =
        world.truth.iter().filter(|t| t.school_code == school && refuses(t) && t.kind == "STAFF").count();
    Ok(count + staff as u64)
}

/// Act f.
async fn to_the_ministry(
    world: &World,
    people: &People,
    reviewed: &Reviewed,
    stage: &Stage,
    figures: &mut Figures,
) -> Result<Transferred> {
    world.simulators.misbehave(ministry::FAULTS).await?;
    let started = Instant::now();
    let out = transfer(people, reviewed, &world.dir, stage).await?;
    let seconds = started.elapsed().as_secs_f64();
    ending::ministry_row(&out, seconds, figures);
    for (school, _, submission) in &reviewed.submissions {
        let officer = people.schools.get(school).context("school without officer")?;
        let id = &submission.submission_id;
        until(&format!("submission {id} to be marked as transferred"), Duration::from_secs(30), || async {
            Ok(review::state_of(officer, id).await? == SubmissionState::Transferred)
        })
        .await?;
    }
    Ok(out)
}

/// Path as it is shown.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
