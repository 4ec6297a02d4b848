//! Who reaches which RPC, tried over the wire.
use eduhub_auth::{
    Role,
    testing::{Persona, TokenMint},
};
use eduhub_faults::{Reason, reason_of};
use eduhub_runtime::client::GrpcChannel;
use prost::Message;
use prost_types::FileDescriptorSet;
use std::collections::BTreeSet;
use tonic::{Code, Request, Status, client::Grpc, metadata::AsciiMetadataValue};
use tonic_prost::ProstCodec;

/// What a test expects of the RPCs of one package. It is written out in the test and not read off the policy, so that a
/// change of the policy shows.
#[derive(Debug, Clone, Copy)]
pub struct AccessTable {
    /// Package, `eduhub.registry.v1`.
    pub package: &'static str,
    /// Each RPC as `Service/Method`, with the roles that reach it. No role: anybody does, without a token.
    pub rows: &'static [(&'static str, &'static [Role])],
    /// What an RPC may answer to a caller that it lets in, given what the test sends: seldom more than that it is malformed.
    pub admitted: &'static [Code],
}

impl AccessTable {
    /// Tries every RPC as every role: it lets in those of its row, and refuses the others with PERMISSION_DENIED/FORBIDDEN.
    /// `ask` sends the RPC of a path with a value of `authorization`; `token` makes that value for a persona.
    ///
    /// # Panics
    /// At the first RPC that answers otherwise, and when the rows are not the RPCs of the package.
    pub async fn is_kept_by_every_role<A>(
        &self,
        persona: impl Fn(Role) -> Persona,
        token: impl Fn(&Persona) -> AsciiMetadataValue,
        ask: A,
    ) where
        A: AsyncFn(&str, Option<AsciiMetadataValue>) -> Result<(), Status>,
    {
        self.names_every_rpc();
        for (method, roles) in self.rows {
            for role in Role::ALL {
                let answer = ask(&self.path(method), Some(token(&persona(role)))).await;
                if roles.is_empty() || roles.contains(&role) {
                    self.lets_in(method, &format!("{role:?}"), answer);
                } else {
                    refuses(
                        method,
                        &format!("{role:?}"),
                        answer,
                        (Code::PermissionDenied, Reason::Forbidden),
                    );
                }
            }
        }
    }

    /// Tries every RPC without a token, with rubbish, with a token of another hub and with an expired one of this hub:
    /// UNAUTHENTICATED, except where anybody is let in.
    ///
    /// # Panics
    /// At the first RPC that answers otherwise, and when the rows are not the RPCs of the package.
    pub async fn is_kept_without_a_token<A>(&self, token: impl Fn(&Persona) -> AsciiMetadataValue, ask: A)
    where
        A: AsyncFn(&str, Option<AsciiMetadataValue>) -> Result<(), Status>,
    {
        self.names_every_rpc();
        let mut late = Persona::admin();
        (late.0.iat, late.0.exp) = (late.0.iat - 2_000, late.0.exp - 2_000);
        let foreign = TokenMint::new().unwrap().bearer(&Persona::admin()).unwrap();
        let tries = [
            ("nobody", None),
            ("rubbish", Some(AsciiMetadataValue::from_static("Bearer x"))),
            ("a stranger", Some(foreign)),
            ("a late one", Some(token(&late))),
        ];
        for (method, roles) in self.rows {
            for (who, token) in &tries {
                let answer = ask(&self.path(method), token.clone()).await;
                if roles.is_empty() {
                    self.lets_in(method, who, answer);
                } else {
                    refuses(method, who, answer, (Code::Unauthenticated, Reason::Unauthenticated));
                }
            }
        }
    }

    fn names_every_rpc(&self) {
        let rows: BTreeSet<String> = self.rows.iter().map(|(method, _)| (*method).to_owned()).collect();
        assert_eq!(rows, rpcs_of(self.package), "the rows are the RPCs of {}", self.package);
    }

    fn path(&self, method: &str) -> String {
        format!("/{}.{method}", self.package)
    }

    fn lets_in(&self, method: &str, who: &str, answer: Result<(), Status>) {
        let code = answer.as_ref().map_or_else(Status::code, |()| Code::Ok);
        assert!(self.admitted.contains(&code), "{method} lets in {who}: {answer:?}");
    }
}

/// Every RPC of a package as `Service/Method`, from the descriptors.
fn rpcs_of(package: &str) -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(eduhub_proto::DESCRIPTORS).unwrap();
    let services = set.file.iter().filter(|f| f.package() == package).flat_map(|f| &f.service);
    services.flat_map(|s| s.method.iter().map(move |m| format!("{}/{}", s.name(), m.name()))).collect()
}

fn refuses(method: &str, who: &str, answer: Result<(), Status>, with: (Code, Reason)) {
    let status = answer.expect_err(&format!("{method} refuses {who}"));
    assert_eq!((status.code(), reason_of(&status)), (with.0, Some(with.1)), "{method} refuses {who}");
}

/// Sends an empty message, which every request type takes, to the RPC of a path, of whatever shape. Only the head of the
/// answer counts: a stream may never end.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// When the path is none.
pub async fn ask_nothing(
    channel: GrpcChannel,
    path: &str,
    token: Option<AsciiMetadataValue>,
) -> Result<(), Status> {
    let mut request = Request::new(());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token);
    }
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    grpc.server_streaming(request, path.parse().unwrap(), ProstCodec::<(), ()>::default()).await.map(drop)
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
