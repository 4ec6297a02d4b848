//! `eduhub-bench [N ...]`: measures the figures and ends with a verdict on each.
use anyhow::Result;
use clap::Parser;
use eduhub_bench::{
    echo, feed,
    figure::{self, Figure},
    load,
    plan::Plan,
    province, reads, record, resend, writers,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Figures that can be measured, in this order.
const ALL: [u8; 6] = [1, 2, 3, 4, 5, 6];

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let outcome = match args.as_slice() {
        [first, cert, key, answer] if first.as_os_str() == echo::ARGUMENT => {
            echo::serve(cert, key, answer).await
        }
        [first, cert, key, messages] if first.as_os_str() == feed::ARGUMENT => {
            feed::serve(cert, key, messages).await
        }
        _ => measure(&Plan::parse().sized()).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench: FAILED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn measure(plan: &Plan) -> Result<()> {
    let load_before = record::load();
    let wanted = if plan.figures.is_empty() { ALL.to_vec() } else { plan.figures.clone() };
    let mut figures: Vec<Figure> = Vec::new();
    for number in wanted {
        let figure = match number {
            1 => load::figure(plan).await?,
            2 => resend::figure(plan).await?,
            3 => province::figure(plan).await?,
            4 => reads::figure(plan).await?,
            5 => feed::figure(plan).await?,
            6 => writers::figure(plan).await?,
            other => anyhow::bail!("there is no figure {other}"),
        };
        say(&figure.report());
        figures.push(figure);
    }
    if plan.record {
        record::append(Path::new("tests/bench/RESULTS.md"), &figures, &load_before)?;
    }
    for figure in &figures {
        say(&figure.verdict());
    }
    if figures.len() > 1 {
        say(&format!("\n{}", figure::table(&figures)));
    }
    Ok(())
}

fn say(line: &str) {
    // Nobody reads: no reason to stop.
    let _ = writeln!(std::io::stdout(), "{line}");
}
