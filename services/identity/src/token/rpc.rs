//! TokenService.
use super::{Failures, Issuer, assertion, revocations, subject};
use crate::credential::{CredentialKind, Hasher, store as credentials};
use crate::database::transaction;
use crate::metrics::{SignIns, kind_of};
use crate::wire::timestamp;
use eduhub_auth::Keyring;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{Failure, PgPool};
use eduhub_proto::identity::v1::issue_token_request::Proof;
use eduhub_proto::identity::v1::token_service_server::TokenService;
use eduhub_proto::identity::v1::{
    ClientAssertion, ClientSecret, GetKeysRequest, GetKeysResponse, IssueTokenRequest, IssueTokenResponse,
    ListRevocationsRequest, ListRevocationsResponse, Password,
};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// No name and no secret is longer; what is gets the answer of a wrong one.
const MAX_NAME: usize = 100;
const MAX_SECRET: usize = 512;

/// Answers TokenService.
pub struct Tokens {
    pool: PgPool,
    hasher: Hasher,
    failures: Failures,
    keyring: Keyring,
    issuer: Issuer,
    sign_ins: SignIns,
}

impl Tokens {
    /// On this database, with these keys.
    pub fn new(pool: PgPool, hasher: Hasher, keyring: Keyring) -> Self {
        let issuer = Issuer::new(keyring.clone());
        Self { pool, hasher, failures: Failures::new(), keyring, issuer, sign_ins: SignIns::new() }
    }

    /// The principal that a proof belongs to; `None` for every wrong proof, after the same work.
    async fn prove(&self, name: &str, proof: Proof) -> Result<Option<Uuid>, Failure> {
        match proof {
            Proof::ClientSecret(ClientSecret { client_id, secret }) => {
                self.by_secret(name, &client_id, secret.into(), CredentialKind::Secret).await
            }
            Proof::Password(Password { user_name, password }) => {
                self.by_secret(name, &user_name, password.into(), CredentialKind::Password).await
            }
            Proof::ClientAssertion(ClientAssertion { client_id, assertion }) => {
                self.by_assertion(client_id, assertion).await
            }
        }
    }

    /// A token for a proof.
    async fn issue(&self, proof: Proof) -> Result<IssueTokenResponse, Failure> {
        let name = name_of(&proof);
        self.failures.admit(&name).await?;
        let Some(principal) = self.prove(&name, proof).await? else {
            self.failures.add(&name).await;
            tracing::info!("sign-in refused");
            return Err(Fault::new(Reason::BadCredentials).into());
        };
        let mut conn = self.pool.acquire().await?;
        let claims = subject::claims(&mut conn, principal).await?;
        let issued = self.issuer.issue(&claims)?;
        tracing::info!(principal = %claims.sub, token = %claims.jti, "token issued");
        Ok(IssueTokenResponse {
            access_token: issued.token.expose_secret().to_owned(),
            expires_at: Some(timestamp(issued.expires_at)),
            principal_id: claims.sub,
        })
    }

    async fn by_secret(
        &self,
        name: &str,
        client_id: &str,
        secret: SecretString,
        kind: CredentialKind,
    ) -> Result<Option<Uuid>, Failure> {
        let turn = self.hasher.turn().await?;
        // Again after the wait: those that stood in line with it may have used up the tries.
        self.failures.admit(name).await?;
        let sensible = client_id.len() <= MAX_NAME && secret.expose_secret().len() <= MAX_SECRET;
        let stored = if sensible {
            let mut conn = self.pool.acquire().await?;
            credentials::find(&mut conn, client_id, kind).await?
        } else {
            None
        };
        let (principal, hash) = stored.map(|found| (found.principal_id, found.secret_hash)).unzip();
        let secret = if sensible { secret } else { SecretString::default() };
        let right = self.hasher.verify(turn, secret, hash.flatten()).await?;
        if let Some(principal) = principal.filter(|_| !right) {
            // A name that somebody has: who is being guessed at. Other names may be a password in the wrong place.
            tracing::info!(%principal, "wrong secret or password");
        }
        Ok(principal.filter(|_| right))
    }

    async fn by_assertion(&self, client_id: String, token: String) -> Result<Option<Uuid>, Failure> {
        if client_id.len() > MAX_NAME {
            return Ok(None);
        }
        transaction(&self.pool, |conn| {
            Box::pin(async move {
                let key = credentials::find(conn, &client_id, CredentialKind::PublicKey).await?;
                let Some(key) = key else { return Ok(None) };
                let Some(read) = assertion::read(&token, &client_id, &key) else { return Ok(None) };
                let first = assertion::take(conn, &client_id, &read).await?;
                Ok(first.then_some(key.principal_id))
            })
        })
        .await
    }
}

#[tonic::async_trait]
impl TokenService for Tokens {
    async fn issue_token(
        &self,
        request: Request<IssueTokenRequest>,
    ) -> Result<Response<IssueTokenResponse>, Status> {
        let proof = request.into_inner().proof.ok_or_else(|| Fault::invalid("proof", "MISSING"))?;
        let kind = kind_of(&proof);
        let issued = self.issue(proof).await.map_err(Fault::from);
        self.sign_ins.ended(kind, issued.as_ref().err().map(Fault::reason));
        Ok(issued.map(Response::new)?)
    }

    async fn get_keys(&self, _: Request<GetKeysRequest>) -> Result<Response<GetKeysResponse>, Status> {
        Ok(Response::new(GetKeysResponse { keys: self.keyring.published().to_vec() }))
    }

    async fn list_revocations(
        &self,
        request: Request<ListRevocationsRequest>,
    ) -> Result<Response<ListRevocationsResponse>, Status> {
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        Ok(Response::new(revocations::after(&mut conn, request.into_inner().after_sequence).await?))
    }
}

/// What failures are counted under: kind of proof and name, cut to a length that no real name has.
fn name_of(proof: &Proof) -> String {
    let name = match proof {
        Proof::ClientSecret(proof) => &proof.client_id,
        Proof::ClientAssertion(proof) => &proof.client_id,
        Proof::Password(proof) => &proof.user_name,
    };
    let cut: String = name.chars().take(MAX_NAME).collect();
    format!("{} {cut}", kind_of(proof))
}
