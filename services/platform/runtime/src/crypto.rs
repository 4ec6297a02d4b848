/// Makes aws-lc the process-wide rustls provider. Call it first in every main and test that speaks TLS; calling
/// it again does nothing.
///
/// rustls panics at the first handshake when it must choose between providers, so nothing is left to choice.
pub fn install_crypto_provider() {
    // An error means that a provider stands already: ours from an earlier call.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
