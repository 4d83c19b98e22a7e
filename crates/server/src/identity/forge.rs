//! Makes JWTs for tests, right ones and wrong ones, from their bare text.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// How a forged token is signed.
pub(super) enum Signer {
    Hmac(Vec<u8>),
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    /// Not at all.
    Nobody,
}

impl Signer {
    pub(super) fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap()))
    }

    pub(super) fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public key as a provider shows it.
    pub(super) fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({"kty": "RSA", "kid": kid, "n": encode(n), "e": encode(e)})
            }
            Self::Ec(pair) => {
                let (_, point) = pair.public_key().as_ref().split_at(1);
                let (x, y) = point.split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": encode(x), "y": encode(y)})
            }
            Self::Hmac(secret) => json!({"kty": "oct", "kid": kid, "k": encode(secret)}),
            Self::Nobody => json!({"kty": "none", "kid": kid}),
        }
    }

    /// The public key in the forms an attacker could take it for a secret.
    pub(super) fn public(&self) -> Vec<Vec<u8>> {
        let Self::Rsa(pair) = self else { return Vec::new() };
        let key = pair.public_key();
        let der = key.as_der().unwrap().as_ref().to_vec();
        let text = base64::engine::general_purpose::STANDARD.encode(&der);
        let lines: Vec<String> =
            text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        let modulus = key.modulus().big_endian_without_leading_zero().to_vec();
        vec![key.as_ref().to_vec(), der, pem.into_bytes(), encode(&modulus).into_bytes(), modulus]
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        match self {
            Self::Hmac(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes()).as_ref().to_vec()
            }
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Nobody => Vec::new(),
        }
    }
}

/// A token of this head and these claims, as they stand.
pub(super) fn token(head: &str, claims: &str, signer: &Signer) -> String {
    let text = format!("{}.{}", encode(head.as_bytes()), encode(claims.as_bytes()));
    format!("{text}.{}", encode(&signer.sign(&text)))
}

/// The claims with a change, as text.
pub(super) fn but(claims: &Value, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims.clone();
    change(&mut claims);
    claims.to_string()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
