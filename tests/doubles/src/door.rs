//! What a double looks at before it answers.
use eduhub_auth::{Role, testing::TokenMint};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use tonic::{Request, Status};

/// Whether a double is up, and whom it answers. Clones are the same door.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    /// Who makes the tokens, and the only service that is let in; none: everybody is.
    guest: Option<(TokenMint, &'static str)>,
    down: AtomicBool,
    tokens: Mutex<Vec<String>>,
}

impl Door {
    /// Lets in only this service, by its own token.
    pub fn for_service(mint: TokenMint, name: &'static str) -> Self {
        Self::new(Some((mint, name)))
    }

    /// Lets in everybody.
    pub fn for_anybody() -> Self {
        Self::new(None)
    }

    fn new(guest: Option<(TokenMint, &'static str)>) -> Self {
        Self(Arc::new(Inner { guest, down: AtomicBool::new(false), tokens: Mutex::default() }))
    }

    /// Whether every call meets UNAVAILABLE from now on.
    pub fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    /// Tokens of the calls so far, empty where there was none.
    pub fn tokens(&self) -> Vec<String> {
        self.0.tokens.lock().unwrap().clone()
    }

    /// Lets in while it is up, whoever it is.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub fn is_up(&self) -> Result<(), Status> {
        if self.0.down.load(Ordering::SeqCst) { Err(Status::unavailable("restarting")) } else { Ok(()) }
    }

    /// Lets in whom it is for, while it is up.
    ///
    /// # Errors
    /// UNAVAILABLE, UNAUTHENTICATED, PERMISSION_DENIED.
    pub async fn lets_in<T>(&self, request: &Request<T>) -> Result<(), Status> {
        self.is_up()?;
        let header = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
        self.0.tokens.lock().unwrap().push(token.to_owned());
        let Some((mint, name)) = &self.0.guest else { return Ok(()) };
        let caller = mint.verifier().verify(token).await?;
        let ours = caller.has_role(Role::Service) && caller.sub == *name;
        if ours { Ok(()) } else { Err(Status::permission_denied(format!("is not {name}"))) }
    }
}
