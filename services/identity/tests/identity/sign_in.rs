//! Proofs of identity: what passes, what does not, and what the answers give away.
use crate::world::{ADMIN_PASSWORD, REGISTRY_SECRET, SCHOOL, World, reason};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use eduhub_auth::testing::Persona;
use eduhub_auth::{CallerKind, Role, Scope, Signer};
use eduhub_faults::Reason;
use eduhub_proto::identity::v1::issue_token_request::Proof;
use eduhub_proto::identity::v1::{
    ClientAssertion, CreateCredentialRequest, PublicKey, RevokeCredentialRequest,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

#[tokio::test]
async fn services_and_the_administrator_sign_in_with_what_was_mounted() {
    let world = World::new().await;
    let verifier = world.verifier().await;
    let token = world.by_secret("registry", REGISTRY_SECRET).await.unwrap().into_inner().access_token;
    let service = verifier.verify(&token).await.unwrap();
    assert_eq!(
        (service.kind, service.name.as_str(), &service.scope),
        (CallerKind::Service, "registry", &Scope::province())
    );
    assert_eq!(service.domains.len(), 6);

    let answer = world.by_password("admin", ADMIN_PASSWORD).await.unwrap().into_inner();
    let admin = verifier.verify(&answer.access_token).await.unwrap();
    assert_eq!(admin.roles, [Role::DepartmentAdmin]);
    assert_eq!(admin.expires_at.unix_timestamp(), answer.expires_at.unwrap().seconds);
    let life = admin.expires_at - time::OffsetDateTime::now_utc();
    assert!(life > time::Duration::minutes(14) && life <= time::Duration::minutes(15), "{life}");
    world.end().await;
}

#[tokio::test]
async fn every_wrong_proof_gets_the_same_answer() {
    let world = World::new().await;
    let answers = [
        world.by_secret("registry", "wrong").await,
        world.by_secret("nobody", "wrong").await,
        world.by_secret("", "").await,
        world.by_secret(&"x".repeat(5000), "wrong").await,
        world.by_password("admin", "wrong").await,
        world.by_password("nobody", "wrong").await,
        // A right secret in the wrong place.
        world.by_password("registry", REGISTRY_SECRET).await,
        world.by_secret("admin", ADMIN_PASSWORD).await,
        // Identity's own principal has no credential.
        world.by_secret("identity", "").await,
    ];
    let mut texts: Vec<_> = answers
        .into_iter()
        .map(|answer| {
            let status = answer.expect_err("must be refused");
            (status.code(), status.message().to_owned(), status.details().to_vec())
        })
        .collect();
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0].0, tonic::Code::Unauthenticated);
    world.end().await;
}

#[tokio::test]
async fn guessing_is_stopped_for_that_name_only() {
    let world = World::new().await;
    for _ in 0..5 {
        assert_eq!(reason(world.by_password("admin", "guess").await), Reason::BadCredentials);
        assert_eq!(reason(world.by_password("nobody", "guess").await), Reason::BadCredentials);
    }
    assert_eq!(reason(world.by_password("admin", ADMIN_PASSWORD).await), Reason::Overloaded);
    assert_eq!(
        reason(world.by_password("nobody", "guess").await),
        Reason::Overloaded,
        "unknown names the same"
    );
    assert!(world.by_secret("registry", REGISTRY_SECRET).await.is_ok());
    world.end().await;
}

/// A client with a key of its own.
struct KeyClient {
    client_id: String,
    key: EncodingKey,
}

impl KeyClient {
    async fn register(world: &World) -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let PublicKey { x, y, .. } =
            Signer::from_pem(pair.serialize_pem().as_bytes()).unwrap().public_key().clone();
        let public_key = Some(PublicKey { key_id: String::new(), x, y });
        let grant_id = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
        let request = world
            .as_persona(&Persona::school_officer(SCHOOL), CreateCredentialRequest { grant_id, public_key });
        let made = world.grants().create_credential(request).await.unwrap().into_inner();
        assert_eq!(made.secret, "");
        Self {
            client_id: made.client_id,
            key: EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap(),
        }
    }

    fn claims(&self) -> Value {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let jti = uuid::Uuid::now_v7().to_string();
        json!({"iss": self.client_id, "sub": self.client_id, "aud": "eduhub-identity", "exp": now + 60, "jti": jti})
    }

    fn proof(&self, claims: &Value) -> Proof {
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::ES256), claims, &self.key).unwrap();
        Proof::ClientAssertion(ClientAssertion { client_id: self.client_id.clone(), assertion })
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let world = World::new().await;
    let client = KeyClient::register(&world).await;
    let proof = client.proof(&client.claims());
    assert!(world.sign_in(proof.clone()).await.is_ok());
    assert_eq!(reason(world.sign_in(proof).await), Reason::BadCredentials, "a replay");
    let twice = client.proof(&client.claims());
    let (one, other) = tokio::join!(world.sign_in(twice.clone()), world.sign_in(twice));
    assert_eq!([one, other].iter().filter(|outcome| outcome.is_ok()).count(), 1, "two at once");
    world.end().await;
}

#[tokio::test]
async fn an_assertion_must_be_for_identity_by_this_client_and_short() {
    let world = World::new().await;
    let client = KeyClient::register(&world).await;
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let changes = [
        ("aud", json!("eduhub")),
        ("iss", json!("api-x")),
        ("sub", json!("api-x")),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 3600)),
    ];
    for (name, value) in changes {
        let mut claims = client.claims();
        claims[name] = value;
        // Each under its own count of failures would need other names; five are allowed.
        assert_eq!(reason(world.sign_in(client.proof(&claims)).await), Reason::BadCredentials, "{name}");
    }
    world.end().await;
}

#[tokio::test]
async fn an_assertion_of_another_key_or_algorithm_is_refused() {
    let world = World::new().await;
    let client = KeyClient::register(&world).await;
    let claims = client.claims();
    let payload = B64.encode(claims.to_string());
    let none = format!("{}.{payload}.", B64.encode(r#"{"alg":"none"}"#));
    let hs = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(b"x"))
        .unwrap();
    let stranger =
        EncodingKey::from_ec_pem(rcgen::KeyPair::generate().unwrap().serialize_pem().as_bytes()).unwrap();
    let strange = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &stranger).unwrap();
    for assertion in [none, hs, strange, "rubbish".into()] {
        let client_id = client.client_id.clone();
        let outcome = world.sign_in(Proof::ClientAssertion(ClientAssertion { client_id, assertion })).await;
        assert_eq!(reason(outcome), Reason::BadCredentials);
    }
    assert!(world.sign_in(client.proof(&claims)).await.is_ok(), "the failed ones used nothing up");
    world.end().await;
}

#[tokio::test]
async fn a_revoked_credential_is_a_wrong_one_and_others_of_the_grant_stay() {
    let world = World::new().await;
    let grant = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    let (old, new) = (world.credential(&grant).await, world.credential(&grant).await);
    for _ in 0..2 {
        let request = RevokeCredentialRequest { client_id: old.client_id.clone() };
        let request = world.as_persona(&Persona::school_officer(SCHOOL), request);
        world.grants().revoke_credential(request).await.unwrap();
    }
    assert_eq!(reason(world.by_secret(&old.client_id, &old.secret).await), Reason::BadCredentials);
    assert!(world.by_secret(&new.client_id, &new.secret).await.is_ok());
    world.end().await;
}
