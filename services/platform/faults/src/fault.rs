//! Refusal of a call.
use crate::catalogue::{code, texts};
use eduhub_proto::common::v1::Reason;
use std::{collections::HashMap, fmt, time::Duration};
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// Domain of `google.rpc.ErrorInfo` in every status of EduHub.
pub const DOMAIN: &str = "eduhub";

/// Why a call is refused. Becomes a [`Status`] with rich details; its source stays inside and is logged once.
#[derive(Debug)]
pub struct Fault(Box<Inner>);

/// Boxed: every fallible call returns a fault, and nearly none does.
#[derive(Debug)]
struct Inner {
    reason: Reason,
    detail: Option<String>,
    metadata: HashMap<String, String>,
    violations: Vec<FieldViolation>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    /// A refusal for this reason.
    pub fn new(reason: Reason) -> Self {
        let metadata = HashMap::new();
        let violations = vec![];
        Self(Box::new(Inner { reason, detail: None, metadata, violations, retry_after: None, source: None }))
    }

    /// An internal fault with its cause, which is logged here and never sent.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Reason::Internal).source(source)
    }

    /// The end of a stream whose server is about to stop: another one goes on with it, nearly at once.
    pub fn stopping() -> Self {
        let text = "the server is stopping; go on at another";
        Self::new(Reason::Unavailable).detail(text).retry_after(Duration::from_millis(100))
    }

    /// A request field that is wrong: `INVALID_REQUEST` with one violation.
    pub fn invalid(field: &str, what: &str) -> Self {
        Self::new(Reason::InvalidRequest).violation(field, what)
    }

    /// Adds English detail for engineers. Must not hold personal data.
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.0.detail = Some(text.into());
        self
    }

    /// Adds `ErrorInfo` metadata, e.g. `grant_id`. Must not hold personal data.
    pub fn meta(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    /// Adds a field violation.
    pub fn violation(mut self, field: &str, what: &str) -> Self {
        self.0.violations.push(FieldViolation::new(field, what));
        self
    }

    /// Tells when to try again.
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Keeps the cause for the log.
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The reason.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// True when field violations were collected.
    pub fn has_violations(&self) -> bool {
        !self.0.violations.is_empty()
    }

    /// `Ok` when no violation was collected: for "all violations at once".
    pub fn into_result(self) -> Result<(), Fault> {
        if self.has_violations() { Err(self) } else { Ok(()) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(short_name(self.0.reason))?;
        if let Some(detail) = &self.0.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Status {
        let fault = *fault.0;
        if let Some(source) = &fault.source {
            tracing::error!(reason = short_name(fault.reason), error = %chain(source.as_ref()), "call failed");
        }
        let text = texts(fault.reason);
        let mut details = ErrorDetails::new();
        details.set_error_info(short_name(fault.reason), DOMAIN, fault.metadata);
        details.set_localized_message("vi", text.vi);
        if !fault.violations.is_empty() {
            details.set_bad_request(fault.violations);
        }
        if let Some(after) = fault.retry_after {
            details.set_retry_info(Some(after));
        }
        let message = match fault.detail {
            Some(detail) => format!("{}: {detail}", text.en),
            None => text.en.to_owned(),
        };
        Status::with_error_details(code(fault.reason), message, details)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        out.push_str(": ");
        out.push_str(&e.to_string());
        next = e.source();
    }
    out
}

/// Name without the enum's prefix, as it stands in `ErrorInfo.reason`.
fn short_name(reason: Reason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("REASON_").unwrap_or(name)
}

/// Reason of a status that another EduHub service sent; `None` for foreign errors.
pub fn reason_of(status: &Status) -> Option<Reason> {
    let info = status.get_details_error_info()?;
    if info.domain != DOMAIN {
        return None;
    }
    Reason::from_str_name(&format!("REASON_{}", info.reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_carries_reason_violations_and_both_languages() {
        let status: Status =
            Fault::invalid("school_code", "required").meta("x", 1).retry_after(Duration::from_secs(2)).into();
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert_eq!(reason_of(&status), Some(Reason::InvalidRequest));
        let details = status.get_error_details();
        assert_eq!(details.localized_message().map(|m| m.locale.as_str()), Some("vi"));
        assert_eq!(
            details.bad_request().map(|b| b.field_violations[0].field.clone()),
            Some("school_code".into())
        );
        assert_eq!(details.error_info().and_then(|i| i.metadata.get("x").cloned()), Some("1".into()));
    }

    #[test]
    fn source_is_not_sent() {
        let status: Status = Fault::internal("password=secret").into();
        assert!(!format!("{status:?}").contains("secret"));
    }
}
