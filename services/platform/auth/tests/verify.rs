//! What the verifier lets through, and what not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]
use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use eduhub_auth::testing::{Persona, TokenMint};
use eduhub_auth::{Signer, TrustSource, Verifier};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::{ListRevocationsResponse, PublicKey};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const SCHOOL: &str = "37000001";

async fn refusal(verifier: &Verifier, token: &str) -> Reason {
    verifier.verify(token).await.expect_err("must be refused").reason()
}

#[tokio::test]
async fn a_good_token_gives_its_caller() {
    let mint = TokenMint::new().unwrap();
    let grant = Uuid::now_v7();
    let token = mint.token(&Persona::vendor(SCHOOL).grant(grant)).unwrap();
    for _ in 0..2 {
        // The second time from the cache of verdicts.
        let caller = mint.verifier().verify(&token).await.unwrap();
        assert_eq!(caller.grant, Some(grant));
        assert!(caller.scope.schools.contains(SCHOOL));
        assert!(!format!("{caller:?}").contains("test vendor"), "the name stays out of logs");
    }
}

#[tokio::test]
async fn times_audience_and_issuer_are_checked() {
    let mint = TokenMint::new().unwrap();
    let verifier = mint.verifier();
    let with = |change: fn(&mut Persona)| {
        let mut persona = Persona::vendor(SCHOOL);
        change(&mut persona);
        mint.token(&persona).unwrap()
    };
    let barely = with(|p| (p.0.iat, p.0.exp) = (p.0.iat - 100, p.0.iat - 10));
    assert!(verifier.verify(&barely).await.is_ok(), "within the leeway");
    let bad: [fn(&mut Persona); 6] = [
        |p| (p.0.iat, p.0.exp) = (p.0.iat - 1000, p.0.iat - 100),
        |p| p.0.aud = "another".into(),
        |p| p.0.iss = "somebody".into(),
        |p| p.0.exp = p.0.iat + 16 * 60,
        |p| (p.0.iat, p.0.exp) = (p.0.iat + 120, p.0.iat + 300),
        |p| (p.0.iat, p.0.exp) = (i64::MIN, i64::MAX),
    ];
    for change in bad {
        assert_eq!(refusal(&verifier, &with(change)).await, Reason::Unauthenticated);
    }
}

#[tokio::test]
async fn other_algorithms_and_tampering_are_refused() {
    let signer = Signer::generate().unwrap();
    let verifier = Verifier::with_source(Fixed::of(&signer));
    let claims = Persona::admin().0;
    let good = signer.sign(&claims).unwrap();
    assert!(verifier.verify(&good).await.is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let kid = &signer.public_key().key_id;

    let none = format!("{}.{}.", B64.encode(format!(r#"{{"alg":"none","kid":"{kid}"}}"#)), parts[1]);
    assert_eq!(refusal(&verifier, &none).await, Reason::Unauthenticated);

    // The classic confusion: the public key taken for an HMAC secret.
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some(kid.clone());
    for secret in [signer.public_key().x.as_bytes(), &B64.decode(&signer.public_key().x).unwrap()] {
        let key = jsonwebtoken::EncodingKey::from_secret(secret);
        let forged = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        assert_eq!(refusal(&verifier, &forged).await, Reason::Unauthenticated);
    }

    let mut payload: serde_json::Value = serde_json::from_slice(&B64.decode(parts[1]).unwrap()).unwrap();
    payload["name"] = "Somebody Else".into();
    let tampered = format!("{}.{}.{}", parts[0], B64.encode(payload.to_string()), parts[2]);
    assert_eq!(refusal(&verifier, &tampered).await, Reason::Unauthenticated);

    let foreign = Signer::generate().unwrap().sign(&claims).unwrap();
    assert_eq!(refusal(&verifier, &foreign).await, Reason::Unauthenticated);
    for rubbish in ["", "a", "a.b", "a.b.c", "....", &"x".repeat(9000)] {
        assert_eq!(refusal(&verifier, rubbish).await, Reason::Unauthenticated);
    }
}

#[tokio::test]
async fn a_revocation_counts_also_for_a_cached_verdict_and_ends_streams() {
    let mint = TokenMint::new().unwrap();
    let grant = Uuid::now_v7();
    let token = mint.token(&Persona::vendor(SCHOOL).grant(grant)).unwrap();
    let officer = Persona::admin();
    let admin = mint.token(&officer).unwrap();
    let caller = mint.verifier().verify(&token).await.unwrap();
    assert!(mint.verifier().verify(&admin).await.is_ok());
    let stream = tokio::spawn(caller.revoked());
    mint.revoke_grant(grant).await.unwrap();
    assert_eq!(refusal(&mint.verifier(), &token).await, Reason::GrantRevoked);
    assert_eq!(stream.await.unwrap().reason(), Reason::GrantRevoked);
    assert!(mint.verifier().verify(&admin).await.is_ok(), "others go on");
    mint.revoke_principal(&officer.0.sub).await.unwrap();
    assert_eq!(refusal(&mint.verifier(), &admin).await, Reason::GrantRevoked);
}

#[tokio::test]
async fn a_grants_last_day_ends_its_streams() {
    let mint = TokenMint::new().unwrap();
    let mut persona = Persona::vendor(SCHOOL);
    persona.0.grant_until = Some(persona.0.iat - 1);
    let caller = mint.verifier().verify(&mint.token(&persona).unwrap()).await.unwrap();
    assert_eq!(caller.revoked().await.reason(), Reason::GrantRevoked);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_rubbish_key_ids_do_not_flood_identity() {
    let (old, new) = (Signer::generate().unwrap(), Signer::generate().unwrap());
    let source = Fixed::of(&old);
    let (keys, asked) = (source.keys.clone(), source.asked.clone());
    let verifier = Verifier::with_source(source);
    verifier.ready().await;
    keys.lock().unwrap().push(new.public_key().clone());
    let before = asked.load(Ordering::SeqCst);
    assert!(
        verifier.verify(&new.sign(&Persona::admin().0).unwrap()).await.is_ok(),
        "one look finds the new key"
    );
    for _ in 0..50 {
        let stranger = Signer::generate().unwrap().sign(&Persona::admin().0).unwrap();
        assert_eq!(refusal(&verifier, &stranger).await, Reason::Unauthenticated);
    }
    assert_eq!(asked.load(Ordering::SeqCst), before + 1);
}

#[tokio::test]
async fn a_withdrawn_key_makes_cached_verdicts_void() {
    let (old, new) = (Signer::generate().unwrap(), Signer::generate().unwrap());
    let source = Fixed::of(&old);
    let keys = source.keys.clone();
    let verifier = Verifier::with_source(source);
    let token = old.sign(&Persona::admin().0).unwrap();
    assert!(verifier.verify(&token).await.is_ok());
    *keys.lock().unwrap() = vec![new.public_key().clone()];
    verifier.refresh().await.unwrap();
    assert_eq!(refusal(&verifier, &token).await, Reason::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn without_identity_nobody_passes_at_first_and_the_known_pass_later() {
    let signer = Signer::generate().unwrap();
    let source = Fixed::of(&signer);
    let down = source.down.clone();
    down.store(1, Ordering::SeqCst);
    let verifier = Verifier::with_source(source);
    let token = signer.sign(&Persona::admin().0).unwrap();
    assert_eq!(refusal(&verifier, &token).await, Reason::Unavailable);
    assert!(!verifier.is_fresh());
    down.store(0, Ordering::SeqCst);
    verifier.ready().await;
    assert!(verifier.verify(&token).await.is_ok());
    assert!(verifier.is_fresh());
    down.store(1, Ordering::SeqCst);
    tokio::time::advance(std::time::Duration::from_secs(120)).await;
    assert!(!verifier.is_fresh(), "readiness and metrics can tell");
    assert!(verifier.verify(&token).await.is_ok(), "tokens live out their minutes");
}

/// A source whose keys a test can change, and whose questions it can count.
struct Fixed {
    keys: Arc<Mutex<Vec<PublicKey>>>,
    asked: Arc<AtomicUsize>,
    down: Arc<AtomicUsize>,
}

impl Fixed {
    fn of(signer: &Signer) -> Self {
        let keys = Arc::new(Mutex::new(vec![signer.public_key().clone()]));
        Self { keys, asked: Arc::default(), down: Arc::default() }
    }

    fn answer(&self) -> Result<(), Fault> {
        if self.down.load(Ordering::SeqCst) > 0 { Err(Fault::new(Reason::Unavailable)) } else { Ok(()) }
    }
}

#[async_trait]
impl TrustSource for Fixed {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answer()?;
        Ok(self.keys.lock().unwrap().clone())
    }

    async fn revocations(&self, _after: i64) -> Result<ListRevocationsResponse, Fault> {
        self.answer()?;
        Ok(ListRevocationsResponse::default())
    }
}
