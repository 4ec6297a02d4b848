//! `eduhub access apply`.
use super::Identity;
use crate::lines::Lines;
use crate::output;
use anyhow::{Context, bail};
use eduhub_proto::identity::v1::application_service_client::ApplicationServiceClient;
use eduhub_proto::identity::v1::{Form1, SubmitApplicationRequest};
use std::path::PathBuf;
use uuid::Uuid;

/// A filled form, to begin with.
const EXAMPLE: &str = include_str!("../../../data/form1.json");

/// Options of `eduhub access apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The form as JSON; see --example.
    #[arg(long, required_unless_present = "example")]
    form: Option<PathBuf>,
    /// Print a filled form to begin with, and end.
    #[arg(long)]
    example: bool,
    /// Id for safe repetition.
    #[arg(long)]
    request_id: Option<Uuid>,
    #[command(flatten)]
    identity: Identity,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Some(path) = self.form.filter(|_| !self.example) else {
            output::line(EXAMPLE.trim_end());
            return Ok(());
        };
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let form = parse(&text).with_context(|| path.display().to_string())?;
        let server = self.identity.server().await?;
        let request_id = self.request_id.unwrap_or_else(Uuid::now_v7).to_string();
        let request = SubmitApplicationRequest { request_id, form: Some(form) };
        let made =
            ApplicationServiceClient::new(server.channel()?).submit_application(request).await?.into_inner();
        output::line(format!("application {} waits for the decision", made.application_id));
        Ok(())
    }
}

fn parse(text: &str) -> anyhow::Result<Form1> {
    // A form is one JSON object over several lines; JSON needs none of them.
    let object: serde_json::Value = serde_json::from_str(text)?;
    let line = object.to_string();
    let mut forms = Lines::<Form1>::new("eduhub.identity.v1.Form1")?.read(line.as_bytes());
    match forms.next() {
        Some(form) => Ok(form?),
        None => bail!("the file is empty"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::common::v1::Level;

    #[test]
    fn the_example_is_a_form() {
        let form = parse(EXAMPLE).unwrap();
        assert_eq!((form.level(), form.domains.len()), (Level::LowerSecondary, 6));
        assert!(form.contract.unwrap().secrecy_confirmed);
        assert!(parse("{\"scholl_code\":\"1\"}").is_err());
    }
}
