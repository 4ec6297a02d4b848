//! Who calls, and may they.
//!
//! - [`Verifier`] checks access tokens (JWT, ES256) locally with the keys and revocations that identity publishes;
//! - [`policy`] has one row for each RPC of a service; a service with a gap does not start;
//! - [`AuthLayer`] stands before all RPCs, applies the rows and puts the [`Caller`] into the request; it keeps the log of who
//!   read personal data ([`ACCESS`]);
//! - [`caller`] takes it out again, and its `require_*` methods check what only the handler knows: the scope;
//! - [`Gate`] does so by the code of a school, wherever the service learns its place from;
//! - [`Keyring`] signs tokens and receipts with keys from mounted files;
//! - [`ServiceIdentity`] keeps a service's own token fresh, [`AuthedChannel`] sends it;
//! - [`testing::TokenMint`] makes tokens and a verifier that trusts them, so that no test needs an identity service.
//!
//! # When identity can't be reached
//! A verifier that never had keys and revocations answers UNAVAILABLE. One that had them goes on with the last it
//! knows: whoever holds a token may have been revoked meanwhile, but tokens live 15 minutes at most, no new ones are issued
//! without identity, and open streams end when their token has ended and revocations are more than 60 s old. The other choice,
//! refusing everybody after 60 s, would make each restart of identity an outage of the hub. [`Verifier::is_fresh`] reports it.

mod access;
mod caller;
mod claims;
mod gate;
mod keyring;
mod keys;
mod layer;
pub mod policy;
mod revocation;
mod role;
mod service_identity;
pub mod testing;
mod trust;
mod verifier;

pub use access::ACCESS;
pub use caller::{Caller, SchoolPlace, Scope, caller, shared};
pub use claims::{AUDIENCE, Claims, ISSUER, LEEWAY, MAX_LIFE};
pub use gate::{Gate, Places};
pub use keyring::{Keyring, KeyringError};
pub use keys::{KeyError, Signer, thumbprint};
pub use layer::{AuthLayer, AuthService};
pub use role::{CallerKind, Role};
pub use service_identity::{AuthedChannel, IssuedToken, ServiceIdentity, TokenSource};
pub use trust::{IdentityTrust, TrustSource};
pub use verifier::Verifier;
