//! JWTs: read strictly, verified with the key and the algorithm that *we* know for their key's name. Nothing here knows
//! the time: it is given.
//!
//! Of the head of a token only `alg` and `kid` are heard: keys and addresses in it (`jwk`, `jku`, `x5u`, `x5c`) are what
//! an attacker would write there. A head that says it must be understood (`crit`) is not.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cordboard_core::Time;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keys::Ring;
use crate::gateway::body::Strict;
use crate::tokens::Role;

/// Who issues our tokens.
pub const ISSUER: &str = "cordboard";
/// Whom they are for: the hub, and nothing else.
pub const AUDIENCE: &str = "cordboard-rte";
/// Most that clocks may differ, in seconds.
pub const LEEWAY_S_MAX: u64 = 300;
/// Greatest number of seconds that is a time: beyond the year 5000 it is a mistake, or an attack on arithmetic.
const SECONDS_MAX: u64 = 100_000_000_000;

/// What our own tokens say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// Who: the name in the directory.
    pub sub: String,
    /// Of which organisation.
    pub tenant: String,
    /// As what.
    pub role: Role,
    /// The token it was made from; or the person's name for the identity provider.
    pub tid: String,
    /// The identity provider that said so; none for a token of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idp: Option<String>,
    /// When it was made, in seconds since the Unix epoch.
    pub iat: u64,
    /// When it ends to be good, in the same.
    pub exp: u64,
    /// What tells it from all others.
    pub jti: String,
}

/// What a token is verified against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest token, in bytes.
    pub bytes_max: usize,
    /// How much clocks may differ, in seconds.
    pub leeway_s: u64,
}

/// The head of a token, as far as it is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The algorithm that it names.
    pub alg: Algorithm,
    /// The name of the key.
    pub kid: String,
}

/// Signs what a token is to say.
///
/// # Errors
/// [`JwtError::UnknownKey`] where no key signs.
pub fn sign(ring: &Ring, claims: &Claims) -> Result<String, JwtError> {
    let key = ring.signing().ok_or(JwtError::UnknownKey)?;
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(key.algorithm.into()) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.secret())).map_err(|_| JwtError::Form)
}

/// What a token of ours says, when it is good now.
///
/// # Errors
/// [`JwtError`] says why not; nothing of the token is in it.
pub fn verify(ring: &Ring, text: &str, now: Time, limits: Limits) -> Result<Claims, JwtError> {
    let head = head(text, limits.bytes_max)?;
    let key = ring.find(&head.kid, now).ok_or(JwtError::UnknownKey)?;
    let check = Check { algorithm: key.algorithm.into(), issuer: ISSUER, audience: AUDIENCE, now, limits };
    let claims = verified(text, &head, &DecodingKey::from_secret(key.secret()), &check)?;
    serde_json::from_value(Value::Object(claims)).map_err(|_| JwtError::Claim("one of ours"))
}

/// What must be true of a token besides its signature.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// How its key signs.
    pub algorithm: Algorithm,
    /// Who must have issued it.
    pub issuer: &'a str,
    /// Whom it must be for.
    pub audience: &'a str,
    /// Now.
    pub now: Time,
    /// How long, how exact.
    pub limits: Limits,
}

/// The head of a token that is not too long; nothing of it is verified.
///
/// # Errors
/// [`JwtError`] where it is none.
pub fn head(text: &str, bytes_max: usize) -> Result<Head, JwtError> {
    if text.len() > bytes_max {
        return Err(JwtError::TooLong);
    }
    let (head, _) = parts(text)?;
    let head = object(head)?;
    if head.contains_key("crit") || head.contains_key("b64") {
        return Err(JwtError::Critical);
    }
    let word = |name: &str| head.get(name).and_then(Value::as_str);
    let alg = match word("alg").ok_or(JwtError::Form)? {
        "HS256" => Algorithm::HS256,
        "RS256" => Algorithm::RS256,
        "ES256" => Algorithm::ES256,
        _ => return Err(JwtError::Algorithm),
    };
    let kid = word("kid").ok_or(JwtError::UnknownKey)?.to_owned();
    Ok(Head { alg, kid })
}

/// The issuer that a token names; nothing of it is verified, so it only says whom to ask.
///
/// # Errors
/// [`JwtError`] where it names none.
pub fn issuer(text: &str, bytes_max: usize) -> Result<String, JwtError> {
    if text.len() > bytes_max {
        return Err(JwtError::TooLong);
    }
    let claims = object(parts(text)?.1)?;
    claims.get("iss").and_then(Value::as_str).map(str::to_owned).ok_or(JwtError::Claim("iss"))
}

/// The claims of a token whose signature, issuer, audience and times are right.
///
/// # Errors
/// [`JwtError`] says why not.
pub fn verified(text: &str, head: &Head, key: &DecodingKey, check: &Check<'_>) -> Result<Map<String, Value>, JwtError> {
    if head.alg != check.algorithm {
        return Err(JwtError::Algorithm);
    }
    let mut validation = Validation::new(check.algorithm);
    validation.set_issuer(&[check.issuer]);
    validation.set_audience(&[check.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // It would ask the system what time it is; we are told.
    validation.validate_exp = false;
    let Strict(claims) = jsonwebtoken::decode::<Strict>(text, key, &validation).map_err(|error| why(&error))?.claims;
    let Value::Object(claims) = claims else { return Err(JwtError::Form) };
    if claims.get("iss").and_then(Value::as_str) != Some(check.issuer) {
        return Err(JwtError::Claim("iss"));
    }
    times(&claims, check)?;
    Ok(claims)
}

fn why(error: &jsonwebtoken::errors::Error) -> JwtError {
    use jsonwebtoken::errors::ErrorKind;
    #[expect(clippy::wildcard_enum_match_arm, reason = "it is not exhaustive, and most of it cannot happen here")]
    match error.kind() {
        ErrorKind::InvalidSignature => JwtError::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::MissingAlgorithm => JwtError::Algorithm,
        ErrorKind::InvalidIssuer => JwtError::Claim("iss"),
        ErrorKind::InvalidAudience => JwtError::Claim("aud"),
        ErrorKind::MissingRequiredClaim(_) => JwtError::Claim("exp, iss, aud or sub"),
        _ => JwtError::Form,
    }
}

fn times(claims: &Map<String, Value>, check: &Check<'_>) -> Result<(), JwtError> {
    let (now, leeway) = (check.now.0 / 1_000_000, check.limits.leeway_s);
    let exp = seconds(claims, "exp")?.ok_or(JwtError::Claim("exp"))?;
    if exp.saturating_add(leeway) <= now {
        return Err(JwtError::Expired);
    }
    for name in ["nbf", "iat"] {
        if seconds(claims, name)?.is_some_and(|from| from > now.saturating_add(leeway)) {
            return Err(JwtError::NotYet);
        }
    }
    Ok(())
}

/// Seconds since the Unix epoch; a number and nothing else, with or without a fraction.
pub(super) fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, JwtError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let wrong = JwtError::Claim(name);
    let seconds = match (value.as_u64(), value.as_f64()) {
        (Some(whole), _) => whole,
        (None, Some(seconds)) if (0.0..SECONDS_MAX as f64).contains(&seconds) => seconds as u64,
        (None, _) => return Err(wrong),
    };
    if seconds <= SECONDS_MAX { Ok(Some(seconds)) } else { Err(wrong) }
}

/// The head and the claims, still encoded.
fn parts(text: &str) -> Result<(&str, &str), JwtError> {
    let mut parts = text.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(head), Some(claims), Some(_), None) => Ok((head, claims)),
        _ => Err(JwtError::Form),
    }
}

fn object(encoded: &str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| JwtError::Form)?;
    match serde_json::from_slice(&bytes) {
        Ok(Strict(Value::Object(object))) => Ok(object),
        Ok(Strict(_)) | Err(_) => Err(JwtError::Form),
    }
}

/// The words of a claim that is a word or a list of words.
pub(super) fn words(claims: &Map<String, Value>, name: &str) -> BTreeSet<String> {
    match claims.get(name) {
        Some(Value::String(word)) => BTreeSet::from([word.clone()]),
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => BTreeSet::new(),
    }
}

/// Why a token is not good. Nothing of the token is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// It is too long.
    #[error("it is too long")]
    TooLong,
    /// It is no JWT.
    #[error("it is no JWT, or has a member twice")]
    Form,
    /// It asks for something to be understood that is not.
    #[error("its head asks for an extension")]
    Critical,
    /// Its algorithm is not that of its key.
    #[error("its algorithm is not that of the key")]
    Algorithm,
    /// Its key is not known.
    #[error("its key is not known")]
    UnknownKey,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// A claim is missing or wrong.
    #[error("a claim is missing or wrong: {0}")]
    Claim(&'static str),
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// It is not good yet.
    #[error("it is not good yet")]
    NotYet,
    /// The token it was made from was revoked or has expired.
    #[error("what it was made from was revoked or has expired")]
    Revoked,
    /// Whoever it names is nobody here.
    #[error("whom it names has no place here: {0}")]
    Nobody(&'static str),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::forge::{Signer, but, token};
    use super::super::keys::Keys;
    use super::*;
    use crate::config::TOKEN_S_MAX;

    const LIMITS: Limits = Limits { bytes_max: 4_096, leeway_s: 10 };
    const NOW_S: u64 = 1_800_000_000;

    fn at(seconds: u64) -> Time {
        Time(seconds * 1_000_000)
    }

    fn claims() -> Claims {
        Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: "anna".into(),
            tenant: "acme".into(),
            role: Role::Agent { agent: "anna".into() },
            tid: "0123456789ab".into(),
            idp: None,
            iat: NOW_S,
            exp: NOW_S + 60,
            jti: "x".into(),
        }
    }

    fn keys() -> (Keys, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::new(dir.path());
        keys.ring_to_sign(at(NOW_S)).unwrap();
        (keys, dir)
    }

    #[test]
    fn what_is_signed_is_verified_until_it_expires() {
        let (keys, _dir) = keys();
        let ring = keys.ring().unwrap();
        let text = sign(&ring, &claims()).unwrap();
        assert_eq!(verify(&ring, &text, at(NOW_S), LIMITS), Ok(claims()));
        assert_eq!(verify(&ring, &text, at(NOW_S + 69), LIMITS), Ok(claims()));
        assert_eq!(verify(&ring, &text, at(NOW_S + 70), LIMITS), Err(JwtError::Expired));
        assert_eq!(verify(&ring, &text, at(NOW_S - 11), LIMITS), Err(JwtError::NotYet));
        let (others, _dir) = self::keys();
        assert_eq!(verify(&others.ring().unwrap(), &text, at(NOW_S), LIMITS), Err(JwtError::UnknownKey));
    }

    #[test]
    fn keys_rotate_without_an_end_to_what_they_signed() {
        let (keys, _dir) = keys();
        let old = sign(&keys.ring().unwrap(), &claims()).unwrap();
        let kid = keys.rotate(at(NOW_S)).unwrap();
        let ring = keys.ring().unwrap();
        let new = sign(&ring, &claims()).unwrap();
        assert_eq!(head(&new, LIMITS.bytes_max).unwrap().kid, kid);
        assert!(verify(&ring, &old, at(NOW_S), LIMITS).is_ok() && verify(&ring, &new, at(NOW_S), LIMITS).is_ok());
        // The longest that it could have signed is over; the next rotation takes it out.
        let late = NOW_S + TOKEN_S_MAX + LEEWAY_S_MAX;
        assert_eq!(verify(&ring, &old, at(late), LIMITS), Err(JwtError::UnknownKey));
        keys.rotate(at(late)).unwrap();
        assert_eq!(keys.ring().unwrap().good(at(0)).count(), 2);
        // A key that got out is taken out at once, also where it is the one that signs.
        let newest = keys.ring().unwrap().signing().unwrap().kid.clone();
        let text = sign(&keys.ring().unwrap(), &claims()).unwrap();
        keys.retire(&newest, at(NOW_S)).unwrap();
        let ring = keys.ring().unwrap();
        assert_eq!(verify(&ring, &text, at(NOW_S), LIMITS), Err(JwtError::UnknownKey));
        assert_ne!(ring.signing().unwrap().kid, newest);
        assert!(keys.retire(&newest, at(NOW_S)).is_err());
    }

    #[test]
    fn a_key_is_in_its_private_file_and_nowhere_else() {
        use std::os::unix::fs::PermissionsExt as _;

        let (keys, dir) = keys();
        let file = dir.path().join("keys.json");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let ring = keys.ring().unwrap();
        let secret = String::from_utf8(ring.signing().unwrap().secret().to_vec()).unwrap();
        assert!(std::fs::read_to_string(&file).unwrap().contains(&secret));
        assert!(!format!("{ring:?} {keys:?}").contains(&secret));
    }

    #[test]
    fn forgeries_are_refused() {
        let (keys, _dir) = keys();
        let ring = keys.ring().unwrap();
        let key = ring.signing().unwrap();
        let (kid, ours) = (key.kid.clone(), Signer::Hmac(key.secret().to_vec()));
        let good_head = json!({"alg": "HS256", "typ": "JWT", "kid": kid}).to_string();
        let good = serde_json::to_value(claims()).unwrap();
        let good_claims = good.to_string();
        let judge = |text: &str| verify(&ring, text, at(NOW_S), LIMITS).err();
        assert_eq!(judge(&token(&good_head, &good_claims, &ours)), None);
        let head = |alg: &str| json!({"alg": alg, "kid": kid}).to_string();
        for (name, text) in [
            ("none", token(&head("none"), &good_claims, &Signer::Nobody)),
            ("None", token(&head("None"), &good_claims, &Signer::Nobody)),
            ("no signature", token(&good_head, &good_claims, &Signer::Nobody)),
            ("another algorithm", token(&head("HS512"), &good_claims, &ours)),
            ("an algorithm of others", token(&head("RS256"), &good_claims, &ours)),
            ("another secret", token(&good_head, &good_claims, &Signer::Hmac(b"secret".to_vec()))),
            ("an empty secret", token(&good_head, &good_claims, &Signer::Hmac(Vec::new()))),
            ("the key's name for a secret", token(&good_head, &good_claims, &Signer::Hmac(kid.clone().into_bytes()))),
            ("no key", token(r#"{"alg":"HS256"}"#, &good_claims, &ours)),
            ("an unknown key", token(r#"{"alg":"HS256","kid":"x"}"#, &good_claims, &ours)),
            ("a path for a key", token(r#"{"alg":"HS256","kid":"../../dev/null"}"#, &good_claims, &ours)),
            (
                "an extension",
                token(&json!({"alg": "HS256", "kid": kid, "crit": ["exp"]}).to_string(), &good_claims, &ours),
            ),
            ("two algorithms", token(&format!(r#"{{"alg":"none","alg":"HS256","kid":"{kid}"}}"#), &good_claims, &ours)),
        ] {
            assert!(judge(&text).is_some(), "{name}");
        }
        type Change = fn(&mut Value);
        let wrong_claims: [(&str, Change); 16] = [
            ("another audience", |it| it["aud"] = json!("cordboard")),
            ("a list of audiences", |it| it["aud"] = json!([AUDIENCE, "x"])),
            ("no audience", |it| drop(it.as_object_mut().unwrap().remove("aud"))),
            ("another issuer", |it| it["iss"] = json!("https://id.example.org")),
            ("a list of issuers", |it| it["iss"] = json!([ISSUER])),
            ("no issuer", |it| drop(it.as_object_mut().unwrap().remove("iss"))),
            ("exp as text", |it| it["exp"] = json!("1900000000")),
            ("exp as null", |it| it["exp"] = Value::Null),
            ("exp beyond time", |it| it["exp"] = json!(u64::MAX)),
            ("exp below zero", |it| it["exp"] = json!(-1)),
            ("no exp", |it| drop(it.as_object_mut().unwrap().remove("exp"))),
            ("expired", |it| it["exp"] = json!(NOW_S - 10)),
            ("not yet", |it| it["nbf"] = json!(NOW_S + 11)),
            ("nbf as text", |it| it["nbf"] = json!("1")),
            ("from the future", |it| it["iat"] = json!(NOW_S + 11)),
            ("no subject", |it| drop(it.as_object_mut().unwrap().remove("sub"))),
        ];
        for (name, change) in wrong_claims {
            assert!(judge(&token(&good_head, &but(&good, change), &ours)).is_some(), "{name}");
        }
        let twice = good_claims.replacen('{', r#"{"tenant":"umbrella","#, 1);
        assert_eq!(judge(&token(&good_head, &twice, &ours)), Some(JwtError::Form));
        let long = but(&good, |it| it["tid"] = json!("x".repeat(LIMITS.bytes_max)));
        assert_eq!(judge(&token(&good_head, &long, &ours)), Some(JwtError::TooLong));
    }

    #[test]
    fn a_key_in_the_head_is_not_used() {
        let (keys, _dir) = keys();
        let ring = keys.ring().unwrap();
        let key = ring.signing().unwrap();
        let theirs = Signer::rsa();
        let text = serde_json::to_string(&claims()).unwrap();
        for (name, value) in [
            ("jwk", theirs.jwk(&key.kid)),
            ("jku", json!("https://attacker.example.org/keys")),
            ("x5u", json!("https://attacker.example.org/certificate")),
            ("x5c", json!(["MIIB"])),
        ] {
            let head = |alg: &str| json!({"alg": alg, "kid": key.kid, name: value}).to_string();
            assert!(verify(&ring, &token(&head("RS256"), &text, &theirs), at(NOW_S), LIMITS).is_err(), "{name}");
            let ours = token(&head("HS256"), &text, &Signer::Hmac(key.secret().to_vec()));
            assert_eq!(verify(&ring, &ours, at(NOW_S), LIMITS), Ok(claims()), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_judged_without_a_fall(text in "[A-Za-z0-9_.{}:\"=-]{0,200}", head in ".{0,60}", claims in ".{0,60}") {
            let ring = Ring::default();
            for text in [text, token(&head, &claims, &Signer::Nobody)] {
                let error = verify(&ring, &text, at(NOW_S), LIMITS).unwrap_err();
                proptest::prop_assert!(error != JwtError::Signature);
                _ = issuer(&text, LIMITS.bytes_max);
            }
        }
    }

    #[test]
    fn what_is_no_jwt_is_refused_and_told_nowhere() {
        let (keys, _dir) = keys();
        let ring = keys.ring().unwrap();
        for text in ["", ".", "..", "...", "a.b.c", "canary.canary.canary", "e30.e30.", "ä.ä.ä", &"[".repeat(4_000)]
        {
            let error = verify(&ring, text, at(NOW_S), LIMITS).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
