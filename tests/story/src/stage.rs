//! What the audience sees: progress bars on a terminal, plain lines elsewhere.
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The screen.
#[derive(Clone)]
pub struct Stage {
    bars: Option<MultiProgress>,
    holding: Arc<AtomicBool>,
}

/// Progress of one act.
pub struct Bar {
    bar: Option<ProgressBar>,
    name: String,
    unit: String,
    done: AtomicU64,
    started: Instant,
    stage: Stage,
}

impl Stage {
    /// Bars when the output is a terminal.
    pub fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let bars = terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        Self { bars, holding: Arc::default() }
    }

    /// The story is over and waits for ctrl-C: from now on that is the orderly end.
    pub fn hold(&self) {
        self.holding.store(true, Ordering::Relaxed);
    }

    /// Resolves on a ctrl-C that breaks the story off.
    pub async fn interrupted(&self) {
        while tokio::signal::ctrl_c().await.is_ok() && self.holding.load(Ordering::Relaxed) {}
    }

    /// A line of text.
    pub fn say(&self, text: impl AsRef<str>) {
        match &self.bars {
            // Above the bars; a screen that went away is no reason to stop.
            Some(bars) => {
                let _ = bars.println(text.as_ref());
            }
            None => {
                let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
            }
        }
    }

    /// An act that takes a while; fits 80 columns.
    pub fn bar(&self, name: &str, total: u64, unit: &str) -> Bar {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(total));
            let style = ProgressStyle::with_template("{prefix:<13} [{bar:24}] {pos:>7}/{len:<7} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("=> "));
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let (name, unit) = (name.to_owned(), unit.to_owned());
        Bar { bar, name, unit, done: 0.into(), started: Instant::now(), stage: self.clone() }
    }
}

impl Bar {
    /// Goes on by so much.
    pub fn add(&self, n: u64) {
        let done = self.done.fetch_add(n, Ordering::Relaxed) + n;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(format!("{} {}/s", self.unit, self.rate(done)));
        }
    }

    fn rate(&self, done: u64) -> u64 {
        (done as f64 / self.started.elapsed().as_secs_f64().max(0.001)) as u64
    }

    /// Ends the act and says what it took; gives the seconds.
    pub fn finish(self) -> f64 {
        let seconds = self.started.elapsed().as_secs_f64();
        let done = self.done.load(Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let line =
            format!("{:<13} {done} {} in {seconds:.1} s ({}/s)", self.name, self.unit, self.rate(done));
        self.stage.say(line);
        seconds
    }
}
