//! The standard gRPC service config, as far as a Rust client needs it: which calls may be asked again, how often, how fast.
//!
//! tonic knows no retry policy; other languages read the same file into their channels.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

/// What a service config says about asking again, with the tokens that one process spends on it.
#[derive(Debug)]
pub struct Repeats {
    methods: HashMap<String, Policy>,
    /// `retryThrottling`: an ailing service is not asked twice as much.
    throttle: Option<Throttle>,
}

/// One method's `retryPolicy`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    pub(super) attempts: u32,
    initial: Duration,
    longest: Duration,
    multiplier: f64,
    /// Numbers of the codes that are worth another attempt.
    codes: Vec<i32>,
}

#[derive(Debug)]
struct Throttle {
    tokens: Mutex<f64>,
    most: f64,
    ratio: f64,
}

/// A text that is not a service config: what it lacks.
#[derive(Debug, thiserror::Error)]
#[error("not a gRPC service config: {0}")]
pub struct NotAConfig(String);

impl Repeats {
    /// Reads a service config (JSON). Methods without `retryPolicy` are asked once.
    ///
    /// # Errors
    /// [`NotAConfig`].
    pub fn parse(json: &str) -> Result<Self, NotAConfig> {
        let lacks = |what: &str| NotAConfig(what.to_owned());
        let config: Value = serde_json::from_str(json).map_err(|e| NotAConfig(e.to_string()))?;
        let mut methods = HashMap::new();
        for entry in config["methodConfig"].as_array().ok_or_else(|| lacks("methodConfig"))? {
            if entry["retryPolicy"].is_null() {
                continue;
            }
            let policy = Policy::of(&entry["retryPolicy"]).ok_or_else(|| lacks("retryPolicy"))?;
            for name in entry["name"].as_array().into_iter().flatten() {
                let part = |key: &str| name[key].as_str().ok_or_else(|| lacks("name"));
                methods.insert(format!("/{}/{}", part("service")?, part("method")?), policy.clone());
            }
        }
        let throttling = &config["retryThrottling"];
        let throttle = throttling["maxTokens"].as_f64().map(|most| Throttle {
            tokens: Mutex::new(most),
            most,
            ratio: throttling["tokenRatio"].as_f64().unwrap_or(0.1),
        });
        Ok(Self { methods, throttle })
    }

    pub(super) fn of(&self, path: &str) -> Option<&Policy> {
        self.methods.get(path)
    }

    /// Notes how an attempt ended. True: there are tokens for another one.
    pub(super) fn note(&self, failed: bool) -> bool {
        let Some(throttle) = &self.throttle else { return true };
        let mut tokens = throttle.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let step = if failed { -1.0 } else { throttle.ratio };
        *tokens = (*tokens + step).clamp(0.0, throttle.most);
        *tokens > throttle.most / 2.0
    }
}

impl Policy {
    fn of(json: &Value) -> Option<Self> {
        let seconds = |key: &str| {
            let text = json[key].as_str()?.strip_suffix('s')?;
            Duration::try_from_secs_f64(text.parse().ok()?).ok()
        };
        let codes = json["retryableStatusCodes"].as_array()?;
        Some(Self {
            attempts: u32::try_from(json["maxAttempts"].as_u64()?).ok()?,
            initial: seconds("initialBackoff")?,
            longest: seconds("maxBackoff")?,
            multiplier: json["backoffMultiplier"].as_f64()?,
            codes: codes.iter().map(|code| number(code.as_str()?)).collect::<Option<_>>()?,
        })
    }

    pub(super) fn repeats(&self, code: i32) -> bool {
        self.codes.contains(&code)
    }

    /// Pause after the attempt of this number (from 1); `chance` in 0..1 spreads it by a fifth to both sides.
    pub(super) fn pause(&self, attempt: u32, chance: f64) -> Duration {
        let doubled = self.multiplier.powi(i32::try_from(attempt).unwrap_or(1) - 1);
        let pause = (self.initial.as_secs_f64() * doubled).min(self.longest.as_secs_f64());
        Duration::from_secs_f64(pause * (0.8 + 0.4 * chance))
    }
}

fn number(code: &str) -> Option<i32> {
    Some(match code {
        "RESOURCE_EXHAUSTED" => 8,
        "ABORTED" => 10,
        "UNAVAILABLE" => tonic::Code::Unavailable as i32,
        _ => return None,
    })
}

#[cfg(test)]
pub(super) const EXAMPLE: &str = r#"{"methodConfig": [{"name": [{"service": "a.B", "method": "C"}], "retryPolicy":
    {"maxAttempts": 3, "initialBackoff": "0.01s", "maxBackoff": "0.02s", "backoffMultiplier": 2,
     "retryableStatusCodes": ["UNAVAILABLE"]}}, {"name": [{"service": "a.B", "method": "D"}], "timeout": "3s"}],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.5}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_read_and_rubbish_is_refused() {
        let repeats = Repeats::parse(EXAMPLE).unwrap();
        let policy = repeats.of("/a.B/C").unwrap();
        assert!(policy.repeats(14) && !policy.repeats(13) && policy.attempts == 3);
        assert_eq!(policy.pause(1, 0.5), Duration::from_millis(10));
        assert_eq!(policy.pause(7, 0.5), Duration::from_millis(20));
        assert!(repeats.of("/a.B/D").is_none());
        for bad in ["", "{}", r#"{"methodConfig": [{"retryPolicy": {"maxAttempts": 3}}]}"#] {
            assert!(Repeats::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn failures_spend_tokens_and_successes_earn_them() {
        let repeats = Repeats::parse(EXAMPLE).unwrap();
        assert!((0..4).all(|_| repeats.note(true)));
        assert!(!repeats.note(true), "five of ten are left");
        assert!(repeats.note(false));
    }
}
