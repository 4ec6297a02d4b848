use std::time::Duration;

use reqwest::StatusCode;

/// Why a call brought no answer, by what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 429: everyone waits so long. Nobody's fault, nothing was taken.
    #[error("the Ministry asks to slow down")]
    Throttled(Duration),
    /// The Ministry is away: no connection, 502, 503, 504, or it does not take our credentials. Nothing was taken, and no
    /// record is to blame: does not count towards giving up.
    #[error("the Ministry is away: {code}")]
    Away {
        /// HTTP-503, CONNECTION, TOKEN.
        code: String,
        /// When it said to come back.
        after: Option<Duration>,
    },
    /// It choked on this batch: 500. Nothing is known to have been taken. Counts.
    #[error("the Ministry failed: {code}")]
    Choked {
        /// HTTP-500.
        code: String,
    },
    /// The answer was lost: deadline, or the connection broke after the request was on its way. The batch may have been
    /// taken; the same request has to be sent again. Counts.
    #[error("the answer was lost: {code}")]
    Lost {
        /// TIMEOUT, CONNECTION, BAD-ANSWER.
        code: &'static str,
    },
    /// It understood and refuses the batch as a whole (4xx): sending it again is useless.
    #[error("the Ministry refuses: {code}")]
    Refused {
        /// Its own code, or HTTP-<status>.
        code: String,
        /// Its text.
        message: String,
    },
}

impl Failure {
    /// What is shown to the school.
    pub fn code(&self) -> &str {
        match self {
            Self::Throttled(_) => "HTTP-429",
            Self::Away { code, .. } | Self::Choked { code } | Self::Refused { code, .. } => code,
            Self::Lost { code } => code,
        }
    }

    /// Which of these it is, for metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Away { .. } => "away",
            Self::Choked { .. } => "choked",
            Self::Lost { .. } => "lost",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether the attempt counts towards giving a record up.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Choked { .. } | Self::Lost { .. })
    }

    /// Whether it speaks against the Ministry's health.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Choked { .. } | Self::Lost { .. })
    }

    /// When the Ministry said to come back.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled(after) => Some(*after),
            Self::Away { after, .. } => *after,
            _ => None,
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() {
            Self::Away { code: "CONNECTION".to_owned(), after: None }
        } else if error.is_timeout() {
            Self::Lost { code: "TIMEOUT" }
        } else if error.is_decode() {
            Self::Lost { code: "BAD-ANSWER" }
        } else {
            Self::Lost { code: "CONNECTION" }
        }
    }
}

/// The failure that a status means, with the refusal's own code and text.
pub(super) fn of_status(
    status: StatusCode,
    after: Option<Duration>,
    code: String,
    message: String,
) -> Failure {
    let http = format!("HTTP-{}", status.as_u16());
    match status {
        // Without a hint: a second, as most gateways count.
        StatusCode::TOO_MANY_REQUESTS => Failure::Throttled(after.unwrap_or(Duration::from_secs(1))),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Failure::Away { code: http, after }
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Away { code: http, after },
        status if status.is_client_error() => {
            Failure::Refused { code: if code.is_empty() { http } else { code }, message }
        }
        _ => Failure::Choked { code: http },
    }
}
