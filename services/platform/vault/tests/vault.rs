//! The vault against vectors that were worked out with another implementation, and against changed bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use eduhub_vault::{KeyFile, SEAL_OVERHEAD, Vault, VaultError, generate, record_digest};
use proptest::prelude::*;

fn hex_from(first: u8) -> String {
    hex::encode((first..first + 32).collect::<Vec<_>>())
}

fn file(seals: &[(u8, u8)]) -> String {
    let mut text = format!(
        "blind_index_hex = \"{}\"\ndigest_hex = \"{}\"\ncache_hex = \"{}\"\n",
        hex_from(0x20),
        hex_from(0x40),
        hex_from(0x80)
    );
    for (id, first) in seals {
        text.push_str(&format!("[[seal]]\nid = {id}\nkey_hex = \"{}\"\n", hex_from(*first)));
    }
    text
}

fn vault(seals: &[(u8, u8)]) -> Vault {
    Vault::new(KeyFile::parse(&file(seals)).unwrap()).unwrap()
}

/// Worked out with Python's hmac and hashlib, keys 0x20.. and 0x40..
#[test]
fn indexes_and_digests_are_plain_hmac_sha256() {
    let vault = vault(&[(1, 0x60)]);
    let index = vault.blind_index("national_id", "001099012345");
    assert_eq!(hex::encode(index), "05f80c426b8b6390713cf7ffcad49c22");
    let key = vault.school_digest_key("79000701");
    assert_eq!(hex::encode(*key), "25d4c3f591c61ff5fc4a8380da04773ae6b351b006b61af01b338497f056eb30");
    assert_eq!(hex::encode(record_digest(&key, b"canonical bytes")), "d0ff72ed7131e0086a0c4075f921d365");
    assert_eq!(hex::encode(vault.cache_key()), hex_from(0x80));
}

/// Sealed with Python's cryptography: AESGCM, key 0x60.., nonce 0..11, associated data `03 "person/7/national_id"`.
#[test]
fn opens_what_another_implementation_sealed() {
    let sealed =
        hex::decode("03000102030405060708090a0b94839dfa8a60752139620a8b5f39085f21da8d759006e3e30f9e3f84")
            .unwrap();
    let opened = vault(&[(3, 0x60)]).open(b"person/7/national_id", &sealed).unwrap();
    assert_eq!(opened.as_slice(), b"001099012345");
}

#[test]
fn the_domain_and_the_school_change_the_result() {
    let vault = vault(&[(1, 0x60)]);
    assert_ne!(vault.blind_index("national_id", "0123"), vault.blind_index("phone", "0123"));
    assert_ne!(vault.blind_index("a", "b1"), vault.blind_index("ab", "1"));
    assert_ne!(*vault.school_digest_key("79000701"), *vault.school_digest_key("79000702"));
}

#[test]
fn no_changed_or_moved_value_opens() {
    let vault = vault(&[(1, 0x60), (2, 0x61)]);
    let sealed = vault.seal(b"person/7", b"001099012345").unwrap();
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(vault.open(b"person/7", &changed).is_err(), "byte {index}");
        assert!(vault.open(b"person/7", &sealed[..index]).is_err(), "cut at {index}");
    }
    assert!(matches!(vault.open(b"person/8", &sealed), Err(VaultError::Tampered)));
    assert!(matches!(vault.open(b"", b""), Err(VaultError::Tampered)));
}

#[test]
fn rotation_keeps_old_values_and_marks_them() {
    let before = vault(&[(1, 0x60)]);
    let old = before.seal(b"row", b"value").unwrap();
    let after = vault(&[(2, 0x61), (1, 0x60)]);
    assert_eq!(after.current_key_id(), 2);
    assert_eq!(after.open(b"row", &old).unwrap().as_slice(), b"value");
    assert!(after.is_stale(&old));
    let new = after.seal(b"row", b"value").unwrap();
    assert_eq!(new[0], 2);
    assert!(!after.is_stale(&new));
    assert!(matches!(before.open(b"row", &new), Err(VaultError::UnknownKey(2))));
}

#[test]
fn a_next_key_opens_before_it_seals() {
    let next = |text: String| text.replace("id = 2", "id = 2\nnext = true");
    let (before, waiting, after) = (
        vault(&[(1, 0x60)]),
        Vault::new(KeyFile::parse(&next(file(&[(1, 0x60), (2, 0x61)]))).unwrap()).unwrap(),
        vault(&[(1, 0x60), (2, 0x61)]),
    );
    assert_eq!(waiting.current_key_id(), 1);
    let open = |vault: &Vault, sealed: &[u8]| vault.open(b"row", sealed).map(|value| value.to_vec()).ok();
    let (old, new) = (waiting.seal(b"row", b"value").unwrap(), after.seal(b"row", b"value").unwrap());
    // Two kinds of processes run side by side in each step, and each opens what the other seals.
    assert_eq!(open(&before, &old), Some(b"value".to_vec()));
    assert_eq!(open(&waiting, &new), Some(b"value".to_vec()));
    assert_eq!(open(&before, &new), None, "without the step between it would be lost on this one");
    let alone = KeyFile::parse(&next(file(&[(2, 0x61)]))).and_then(Vault::new).unwrap_err().to_string();
    assert!(alone.contains("may seal"), "{alone}");
}

#[test]
fn a_bad_key_file_is_named_without_its_keys() {
    let short = file(&[(1, 0x60)]).replace(&hex_from(0x40), "abcd12");
    let cases = [
        (short, "digest_hex"),
        (file(&[(1, 0x60), (1, 0x61)]), "twice"),
        (file(&[]), "line 1"),
        (format!("{}\n[[seal]]\nid = 300\nkey_hex = \"\"", file(&[])), "line 6"),
        (file(&[(1, 0x60)]).replace(&hex_from(0x20), &"00".repeat(32)), "placeholder"),
        (format!("x_hex = \"{}\"\n{}", hex_from(0x11), file(&[(1, 0x60)])), "line"),
    ];
    for (text, expected) in cases {
        let error = KeyFile::parse(&text).and_then(Vault::new).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        for secret in [hex_from(0x11), hex_from(0x20), hex_from(0x60), "abcd12".to_owned()] {
            assert!(!error.contains(&secret), "{error}");
        }
    }
    let gone = Vault::load("/nonexistent/vault.toml").unwrap_err();
    assert!(matches!(gone, VaultError::Unreadable { .. }));
}

#[test]
fn a_generated_file_works_and_is_new_each_time() {
    let text = generate().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.toml");
    std::fs::write(&path, text.as_bytes()).unwrap();
    let vault = Vault::load(&path).unwrap();
    let sealed = vault.seal(b"a", b"b").unwrap();
    assert_eq!(vault.open(b"a", &sealed).unwrap().as_slice(), b"b");
    assert_ne!(*text, *generate().unwrap());
    let other = Vault::new(KeyFile::parse(&generate().unwrap()).unwrap()).unwrap();
    assert!(other.open(b"a", &sealed).is_err());
    assert!(!format!("{vault:?}").contains(&text["blind_index_hex = \"".len()..][..64]));
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_to_the_same(aad: Vec<u8>, plain: Vec<u8>) {
        let vault = vault(&[(9, 0x60)]);
        let sealed = vault.seal(&aad, &plain).unwrap();
        prop_assert_eq!(sealed.len(), plain.len() + SEAL_OVERHEAD);
        let opened = vault.open(&aad, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
        // A fresh nonce each time: equal values do not look equal.
        prop_assert_ne!(sealed, vault.seal(&aad, &plain).unwrap());
    }

    #[test]
    fn no_rubbish_opens(rubbish: Vec<u8>) {
        prop_assert!(vault(&[(9, 0x60)]).open(b"", &rubbish).is_err());
    }
}
