//! The sign-in, and whether every service takes the token.
use super::service::words;
use super::{Finding, Level, PATIENCE};
use crate::server::{Server, Session};
use eduhub_proto::approval::v1::{GetSubmissionRequest, submission_service_client::SubmissionServiceClient};
use eduhub_proto::bridge::v1::{GetTransferRequest, transfer_service_client::TransferServiceClient};
use eduhub_proto::common::v1::GetPositionRequest;
use eduhub_proto::facility::v1::record_service_client::RecordServiceClient as FacilityRecords;
use eduhub_proto::identity::v1::{
    GetApplicationRequest, application_service_client::ApplicationServiceClient,
};
use eduhub_proto::registry::v1::record_service_client::RecordServiceClient;
use time::OffsetDateTime;
use tokio::time::timeout;
use tonic::{Code, Status};
use uuid::Uuid;

/// How the sign-in went.
pub fn signed_in(session: Option<&Result<Session, Status>>) -> Option<Finding> {
    let place = "sign-in";
    Some(match session {
        None => {
            let text = "no credentials: give --client-id and --client-secret-file, or --user and --password-file; calls were not tried";
            Finding::new(Level::Skipped, place, "NO_CREDENTIALS", text)
        }
        Some(Ok(session)) => {
            let left = (session.first_token().expires_at - OffsetDateTime::now_utc()).whole_minutes();
            Finding::new(Level::Well, place, "TOKEN", format!("a token was given, good for {left} min"))
        }
        Some(Err(status)) if status.code() == Code::Unauthenticated => {
            let text = "identity does not take the secret or password: is it the one of this deployment, and not revoked?";
            Finding::new(Level::Broken, place, "BAD_CREDENTIALS", text)
        }
        Some(Err(status)) => {
            Finding::new(Level::Broken, place, "NO_TOKEN", format!("no token: {}", words(status)))
        }
    })
}

/// Asks for something that is not there: whoever says so has taken the token, which it can only with identity's keys.
pub async fn accepted(name: &'static str, server: &Server) -> Finding {
    let nothing = Uuid::nil().to_string();
    let school_code = "00000000".to_owned();
    let Ok(channel) = server.channel() else {
        return Finding::new(Level::Skipped, name, "BAD_ADDRESS", "the address is not usable");
    };
    let asked = async {
        match name {
            "identity" => {
                let request = GetApplicationRequest { application_id: nothing };
                ApplicationServiceClient::new(channel).get_application(request).await.map(drop)
            }
            "registry" => RecordServiceClient::new(channel)
                .get_position(GetPositionRequest { school_code })
                .await
                .map(drop),
            "facility" => {
                FacilityRecords::new(channel).get_position(GetPositionRequest { school_code }).await.map(drop)
            }
            "approval" => {
                let request = GetSubmissionRequest { submission_id: nothing };
                SubmissionServiceClient::new(channel).get_submission(request).await.map(drop)
            }
            _ => {
                let request = GetTransferRequest { transfer_id: nothing };
                TransferServiceClient::new(channel).get_transfer(request).await.map(drop)
            }
        }
    };
    match timeout(PATIENCE * 2, asked).await {
        Err(_) => Finding::new(Level::Broken, name, "SILENT", "it did not answer a call within 10 s"),
        Ok(Err(status)) => judged(name, &status),
        Ok(Ok(())) => Finding::new(Level::Well, name, "TOKEN_TAKEN", "it takes the token and answers"),
    }
}

fn judged(name: &str, status: &Status) -> Finding {
    let (level, code, text) = match status.code() {
        Code::NotFound | Code::PermissionDenied | Code::InvalidArgument | Code::FailedPrecondition => {
            (Level::Well, "TOKEN_TAKEN", "it takes the token and answers".to_owned())
        }
        Code::Unauthenticated => (
            Level::Broken,
            "TOKEN_REFUSED",
            "it refuses a token that identity gave: does it reach this identity (EDUHUB_IDENTITY_URL), and is its clock right?"
                .to_owned(),
        ),
        Code::Unavailable => {
            (Level::Broken, "PEER_AWAY", format!("it cannot reach what it needs: {}", words(status)))
        }
        Code::Unimplemented => {
            (Level::Broken, "OTHER_SERVICE", "something else answers at this address: are two addresses mixed up?".to_owned())
        }
        _ => (Level::Broken, "CALL_FAILED", words(status)),
    };
    Finding::new(level, name, code, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_who_is_at_fault() {
        let code = |status: Status| judged("registry", &status).code;
        assert_eq!(code(Status::not_found("")), "TOKEN_TAKEN");
        assert_eq!(code(Status::unauthenticated("")), "TOKEN_REFUSED");
        assert_eq!(code(Status::unavailable("")), "PEER_AWAY");
        assert_eq!(code(Status::unimplemented("")), "OTHER_SERVICE");
    }
}
