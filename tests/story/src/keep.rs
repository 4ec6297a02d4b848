//! `--keep`: leaves all running, with what a visitor needs to look around.
use crate::{
    act::{World, shown},
    actor::Actor,
    people::People,
    stage::Stage,
    watch::Centre,
};
use anyhow::{Context, Result};
use eduhub_stack::{Program, bin_dir};
use secrecy::ExposeSecret;

/// Prints addresses, a token for each role and five commands to try, then waits for ctrl-C.
pub async fn hold(world: &World, people: &People, centre: &Centre, stage: &Stage) -> Result<()> {
    stage.say("\nEverything is left running; ctrl-C ends it.\n");
    for program in Program::ALL {
        stage.say(format!("  {:<16} {}", program.name(), world.stack.url(program)));
    }
    stage.say(format!("  authority        {}", shown(&world.stack.certs().ca)));
    stage.say(format!("  logs             {}", shown(&world.stack.logs())));
    stage.say(format!("  centre's copy    {}\n", shown(centre.copy())));
    let school = world.province.schools.first().context("no school")?;
    let vendor = people.vendors.get(&school.school_code).cloned().context("no vendor")?;
    let vendor = Actor::sign_in(&world.doors, vendor).await?;
    let officer = people.schools.get(&school.school_code).context("no officer")?;
    let commune = people.offices.get(&school.commune_code).context("no commune")?;
    let division = people.offices.get("DIV_SECONDARY").context("no division")?;
    let roles =
        [("vendor", &vendor), ("school", officer), ("commune", commune), ("division", division), ("admin", &people.admin)];
    let dir = world.dir.join("tokens");
    std::fs::create_dir_all(&dir)?;
    stage.say("Tokens (15 minutes), one file for each role:");
    for (role, actor) in roles {
        let file = dir.join(role);
        std::fs::write(&file, actor.session.first_token().token.expose_secret())?;
        stage.say(format!("  {role:<16} {}", shown(&file)));
    }
    stage.say("\nCommands to try:");
    for line in commands(world, &school.school_code)? {
        stage.say(format!("  {line}"));
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn commands(world: &World, school: &str) -> Result<Vec<String>> {
    let eduhub = shown(&bin_dir(None)?.join("eduhub"));
    let ca = shown(&world.stack.certs().ca);
    let token = |role: &str| shown(&world.dir.join("tokens").join(role));
    let at = |p: Program| world.stack.url(p);
    let data = shown(&world.data.join(school).join("registry.jsonl"));
    Ok(vec![
        format!("{eduhub} push --server {} --ca {ca} --token-file {} --school {school} --year 2026 --file {data}", at(Program::Registry), token("vendor")),
        format!("{eduhub} push --mode validate --server {} --ca {ca} --token-file {} --school {school} --year 2026 --file {data}", at(Program::Registry), token("vendor")),
        format!("{eduhub} review queue --approval-url {} --ca {ca} --token-file {}", at(Program::Approval), token("commune")),
        format!("{eduhub} access list --identity-url {} --ca {ca} --token-file {}", at(Program::Identity), token("admin")),
        format!("{eduhub} transfer ledger --bridge-url {} --ca {ca} --token-file {} --school {school}", at(Program::Bridge), token("school")),
    ])
}
