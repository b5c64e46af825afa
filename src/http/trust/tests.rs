//! Tests of whom the operators' port trusts, a request a line.

use argon2::password_hash::PasswordHasher;
use axum::http::HeaderName;

use super::*;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn network(password: Option<&str>, token: Option<&str>) -> Network {
    // Cheap parameters: what is tested here is who gets in, not how long a guess takes.
    let cheap = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cheap);
    let hash = password.map(|word| {
        let hash: argon2::password_hash::phc::PasswordHash =
            argon2.hash_password(word.as_bytes()).unwrap();
        Secret::new(hash.to_string())
    });
    let token = token.map(|token| Secret::new(token.to_owned()));
    let hosts = ["Ringup.Example".to_owned()];
    let address = "127.0.0.1:8080".parse().unwrap();
    Network::new(hash, token.as_ref(), &hosts, &[address]).unwrap()
}

/// Headers as `name: value` lines.
fn headers(lines: &str) -> HeaderMap {
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.trim().parse::<HeaderName>().unwrap(), value.parse().unwrap())
    };
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(pair).collect()
}

async fn ask(network: &Network, method: Method, lines: &str) -> Result<(), Denied> {
    let local = IpAddr::from([10, 20, 0, 2]);
    network.admit(&method, &headers(lines), PEER, local).await
}

fn basic(pair: &str) -> String {
    format!("host: localhost\nauthorization: Basic {}", STANDARD.encode(pair))
}

#[tokio::test]
async fn hosts_and_origins() {
    let open = network(None, None);
    for (method, lines, expected) in [
        (Method::GET, "host: localhost:8080", Ok(())),
        (Method::GET, "host: 127.0.0.1:8080", Ok(())),
        (Method::GET, "host: 127.0.0.1:1", Ok(())),
        (Method::GET, "host: 10.20.0.2", Ok(())),
        (Method::GET, "host: ringup.example:9000", Ok(())),
        (Method::GET, "host: evil.example", Err(Denied::Host)),
        (Method::GET, "host: 10.20.0.3", Err(Denied::Host)),
        (Method::GET, "accept: */*", Err(Denied::Host)),
        (Method::PUT, "host: localhost:8080", Ok(())),
        (Method::PUT, "host: localhost:8080\norigin: http://localhost:8080", Ok(())),
        (Method::PUT, "host: localhost:8080\norigin: http://evil.example", Err(Denied::Origin)),
        (Method::PUT, "host: localhost:8080\norigin: null", Err(Denied::Origin)),
        (Method::GET, "host: localhost:8080\norigin: http://evil.example", Ok(())),
        (Method::POST, "host: localhost:8080\nsec-fetch-site: cross-site", Err(Denied::Origin)),
        (Method::GET, "host: localhost:8080\nsec-fetch-site: cross-site", Err(Denied::Origin)),
    ] {
        assert_eq!(ask(&open, method.clone(), lines).await, expected, "{method} {lines}");
    }
}

#[tokio::test]
async fn passwords_and_tokens() {
    let guarded = network(Some("correct horse"), Some("t0ken"));
    for (lines, expected) in [
        ("host: localhost".to_owned(), Err(Denied::Credentials)),
        (basic("operator:correct horse"), Ok(())),
        (basic("anybody:correct horse"), Ok(())),
        (basic("operator:wrong"), Err(Denied::Credentials)),
        (basic("no colon"), Err(Denied::Credentials)),
        ("host: localhost\nauthorization: Bearer t0ken".to_owned(), Ok(())),
        ("host: localhost\nauthorization: Bearer t0ke".to_owned(), Err(Denied::Credentials)),
        ("host: localhost\nauthorization: Digest x".to_owned(), Err(Denied::Credentials)),
        (basic("operator:correct horse"), Ok(())),
    ] {
        assert_eq!(ask(&guarded, Method::GET, &lines).await, expected, "{lines}");
    }
}

#[tokio::test]
async fn the_sixth_guess_is_not_heard() {
    let guarded = network(Some("correct horse"), None);
    for _ in 0..5 {
        assert_eq!(ask(&guarded, Method::GET, &basic("a:wrong")).await, Err(Denied::Credentials));
    }
    assert_eq!(ask(&guarded, Method::GET, &basic("a:correct horse")).await, Err(Denied::LockedOut));
    let elsewhere = IpAddr::from([192, 0, 2, 8]);
    let right = headers(&basic("a:correct horse"));
    assert_eq!(guarded.admit(&Method::GET, &right, elsewhere, elsewhere).await, Ok(()));
}

#[test]
fn the_network_needs_a_password() {
    let everywhere = ["0.0.0.0:8080".parse().unwrap()];
    let refused = Network::new(None, None, &[], &everywhere).unwrap_err();
    assert_eq!(refused, HttpError::NoPassword { address: "0.0.0.0:8080".to_owned() });
    let token = Secret::new("t".to_owned());
    assert!(Network::new(None, Some(&token), &[], &everywhere).is_ok());
    let bad = Network::new(Some(Secret::new("hunter2".to_owned())), None, &[], &everywhere);
    assert!(matches!(bad, Err(HttpError::BadHash { .. })), "a password where its hash belongs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_that_come_at_once_are_locked_out_too() {
    let guarded = std::sync::Arc::new(network(Some("correct horse"), None));
    let guess = |number: usize| {
        let guarded = std::sync::Arc::clone(&guarded);
        async move { ask(&guarded, Method::GET, &basic(&format!("operator:{number}"))).await }
    };
    let mut guesses: tokio::task::JoinSet<_> = (0..60).map(guess).collect();
    let mut checked = 0;
    while let Some(answer) = guesses.join_next().await {
        checked += usize::from(answer.unwrap() == Err(Denied::Credentials));
    }
    // Five, and those whose check had begun by then.
    assert!(checked <= 5 + CHECKS_AT_A_TIME * 2, "{checked} guesses were checked");
}
