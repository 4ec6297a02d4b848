//! Credentials: what a principal proves itself with. Secrets and passwords are kept as argon2id hashes only.
mod hasher;
mod secret;
pub(crate) mod store;

pub use hasher::Hasher;
pub use secret::{new_client_id, new_secret};

/// What kind of proof a credential takes; the numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// Secret of an API client or a service.
    Secret = 1,
    /// Public key of an API client (private_key_jwt).
    PublicKey = 2,
    /// Password of an officer.
    Password = 3,
}
