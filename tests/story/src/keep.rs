//! `--keep`: leaves all running, with what a visitor needs to look around.
use crate::{
    act::{World, shown},
    people::People,
    stage::Stage,
    watch::{Centre, write_private},
};
use anyhow::{Context, Result};
use eduhub_cast::Actor;
use eduhub_cli::generate::School;
use eduhub_stack::{Program, bin_dir};
use secrecy::ExposeSecret;
use std::path::PathBuf;

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
    tokens(world, people, school, stage).await?;
    let env = environment(world)?;
    stage.say("\nCommands to try:");
    for line in commands(world, &school.school_code, &shown(&env))? {
        stage.say(format!("  {line}"));
    }
    stage.hold();
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Writes a token for each role, readable by its owner alone.
async fn tokens(world: &World, people: &People, school: &School, stage: &Stage) -> Result<()> {
    let vendor = people.vendors.get(&school.school_code).cloned().context("no vendor")?;
    let vendor = Actor::sign_in(&world.doors, vendor).await?;
    let centre = Actor::sign_in(&world.doors, people.centre.proof()).await?;
    let officer = people.schools.get(&school.school_code).context("no officer")?;
    let commune = people.offices.get(&school.commune_code).context("no commune")?;
    let division = people.offices.get("DIV_SECONDARY").context("no division")?;
    let dir = world.dir.join("tokens");
    std::fs::create_dir_all(&dir)?;
    stage.say("Tokens (15 minutes), one file for each role:");
    for (role, actor) in [
        ("vendor", &vendor),
        ("school", officer),
        ("commune", commune),
        ("division", division),
        ("centre", &centre),
        ("admin", &people.admin),
    ] {
        let file = dir.join(role);
        write_private(&file, actor.session.first_token().token.expose_secret())?;
        stage.say(format!("  {role:<16} {}", shown(&file)));
    }
    Ok(())
}

/// Writes the file that a shell sources to reach this stack with short commands.
fn environment(world: &World) -> Result<PathBuf> {
    let mut text = format!("export PATH={}:$PATH\n", shown(&bin_dir(None)?));
    text += &format!("export EDUHUB_TLS_CA={}\n", shown(&world.stack.certs().ca));
    text += &format!("export TOKENS={}\n", shown(&world.dir.join("tokens")));
    for program in Program::SERVICES {
        text +=
            &format!("export EDUHUB_{}_URL={}\n", program.name().to_uppercase(), world.stack.url(program));
    }
    let file = world.dir.join("env");
    std::fs::write(&file, text)?;
    Ok(file)
}

fn commands(world: &World, school: &str, env: &str) -> Result<Vec<String>> {
    let data = shown(&world.data.join(school));
    Ok(vec![
        format!("source {env}"),
        format!(
            "eduhub push --token-file $TOKENS/vendor --school {school} --year 2026 --mode validate --file {data}/registry.jsonl"
        ),
        format!(
            "eduhub push --token-file $TOKENS/vendor --school {school} --year 2026 --file {data}/fixed.jsonl"
        ),
        "eduhub watch --token-file $TOKENS/centre --once --to /tmp/centre.copy".to_owned(),
        "eduhub access list --token-file $TOKENS/admin".to_owned(),
        format!("eduhub transfer ledger --token-file $TOKENS/school --school {school}"),
    ])
}
