//! A key that an agent has signs like any other, and says what is wrong when it cannot.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, Provider, SignError, SigningAlgorithm, SigningKey};
use dkim_dns::Zone;
use dkim_keys::agent::wire::{Answer, Frames, KeyName, MAX_INPUT, MAX_REQUEST, Refusal, Request};
use dkim_keys::agent::{Agent, AgentError, Keyring, RemoteKey};
use dkim_keys::loop_back;
use dkim_message::split;
use dkim_sign::Signer;
use dkim_tags::{Canonicalizations, DomainName, Selector, UnixTime};
use dkim_verify::Outcome;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use tempfile::TempDir;

const NOW: UnixTime = UnixTime(1_700_000_000);
const FORMS: [&str; 4] = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"];

fn key() -> Arc<dyn SigningKey> {
    PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[7; 32])).unwrap()
}

fn name() -> KeyName {
    let domain = DomainName::parse("example.com").unwrap();
    KeyName { domain, selector: Selector::parse("s1").unwrap() }
}

fn keyring() -> Keyring {
    let mut keyring = Keyring::default();
    assert!(keyring.insert(name(), key()));
    keyring
}

/// Answers each connection with one of these, in turn, and then is gone.
struct Scene {
    directory: TempDir,
}

type Act = Box<dyn FnOnce(UnixStream) + Send>;

impl Scene {
    fn new(acts: Vec<Act>) -> Self {
        let scene = Self { directory: tempfile::tempdir().unwrap() };
        let listener = UnixListener::bind(scene.path()).unwrap();
        thread::spawn(move || {
            for act in acts {
                act(listener.accept().unwrap().0);
            }
        });
        scene
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("agent.sock")
    }

    fn agent(&self) -> Agent {
        Agent::at(&self.path())
    }

    fn key(&self) -> RemoteKey {
        self.agent().key(name()).unwrap()
    }
}

fn request(stream: &mut UnixStream) -> Request {
    let mut frames = Frames::new(MAX_REQUEST);
    loop {
        let mut piece = [0; 1000];
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "a request is whole");
        if let Some(frame) = frames.take(&mut &piece[..read]).unwrap() {
            return Request::parse(&frame).unwrap();
        }
    }
}

/// As an agent does it.
fn rightly() -> Act {
    Box::new(|mut stream| {
        let request = request(&mut stream);
        for answer in keyring().answer(&request).answers {
            stream.write_all(&answer.to_frame().unwrap()).unwrap();
        }
    })
}

/// Reads the request, and says these octets.
fn saying(octets: Vec<u8>) -> Act {
    Box::new(move |mut stream| {
        request(&mut stream);
        stream.write_all(&octets).unwrap();
    })
}

#[test]
fn it_is_the_key_that_the_agent_has() {
    let scene = Scene::new(vec![rightly()]);
    let key = scene.key();
    assert_eq!(key.algorithm(), SigningAlgorithm::ED25519_SHA256);
    assert_eq!(key.public_key(), self::key().public_key());
}

#[test]
fn all_keys_are_listed() {
    let scene = Scene::new(vec![rightly()]);
    let list = scene.agent().list().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].name.clone(), &list[0].public), (name(), key().public_key()));
}

/// In every form, and long enough to be folded: the agent knows the input for what it is.
#[test]
fn messages_are_signed_as_with_the_key_at_hand() {
    let scene = Scene::new((0..5).map(|_| rightly()).collect());
    let remote = scene.key();
    let message = b"From: joe@example.com\r\nSubject: a\r\n b\r\n\r\nHi.\r\n";
    for form in FORMS {
        let KeyName { domain, selector } = name();
        let mut request = dkim_sign::Request::new(domain, selector, remote.algorithm());
        request.canonicalization = Canonicalizations::parse(form).unwrap();
        request.copies = dkim_sign::Copies::OfSignedFields;
        let (header, body) = split(message);
        let mut signer = Signer::new([request], &header, NOW, &PROVIDER).unwrap();
        signer.body_chunk(body);
        let unsigned = signer.finish().pop().unwrap();
        let at_hand = unsigned.clone().sign(&*key()).unwrap();
        assert_eq!(unsigned.sign(&remote).unwrap().to_field(), at_hand.to_field(), "{form}");
    }
}

#[test]
fn it_verifies_with_what_is_published() {
    let scene = Scene::new(vec![rightly(), rightly()]);
    let KeyName { domain, selector } = name();
    let record = dkim_keyrec::KeyRecord::new(key().public_key().clone());
    let publication = dkim_keys::Publication::new(&selector, &domain, &record).unwrap();
    let zone = Zone::new().txt(&publication.name, &publication.text);
    let outcome = loop_back(&scene.key(), (&selector, &domain), None, NOW, &PROVIDER, &zone);
    assert_eq!(outcome.unwrap(), Outcome::Pass);
}

#[test]
fn an_agent_that_refuses_is_understood() {
    let other = KeyName { selector: Selector::parse("s2").unwrap(), ..name() };
    let error = Scene::new(vec![rightly()]).agent().key(other).unwrap_err();
    assert!(matches!(error, AgentError::Refused(Refusal::UnknownKey)), "{error}");
    assert!(!error.is_temporary());
    let scene = Scene::new(vec![rightly(), rightly()]);
    let error = scene.key().sign(b"any text").unwrap_err();
    assert_eq!(error, SignError::Refused(Refusal::NotDkim.to_string()));
}

/// Refused before the request was read: a long one cannot even be written to its end.
#[test]
fn an_agent_that_does_not_listen_is_understood() {
    let strangers = || -> Act {
        Box::new(|mut stream| {
            let refused = Answer::Refused(Refusal::User).to_frame().unwrap();
            stream.write_all(&refused).unwrap();
        })
    };
    let scene = Scene::new(vec![rightly(), strangers(), strangers()]);
    let key = scene.key();
    assert!(matches!(scene.agent().list(), Err(AgentError::Refused(Refusal::User))));
    let error = key.sign(&vec![b'x'; MAX_INPUT]).unwrap_err();
    assert_eq!(error, SignError::Refused(Refusal::User.to_string()));
}

#[test]
fn an_agent_that_is_gone_is_out_of_reach() {
    let scene = Scene::new(vec![rightly(), Box::new(drop)]);
    let key = scene.key();
    assert!(scene.agent().is_there());
    std::fs::remove_file(scene.path()).unwrap();
    assert!(!scene.agent().is_there());
    let error = key.sign(b"any text").unwrap_err();
    assert!(
        matches!(&error, SignError::OutOfReach(why) if why.contains("No such file")),
        "{error}"
    );
    // Its socket stands there still, and nobody listens.
    drop(UnixListener::bind(scene.path()).unwrap());
    assert!(!scene.agent().is_there());
    let error = key.sign(b"any text").unwrap_err();
    assert!(matches!(&error, SignError::OutOfReach(why) if why.contains("refused")), "{error}");
}

#[test]
fn an_agent_that_breaks_off_is_out_of_reach() {
    let signature = Answer::Signature(vec![7; 64]).to_frame().unwrap();
    for length in 0..signature.len() {
        let scene = Scene::new(vec![rightly(), saying(signature[..length].to_vec())]);
        let error = scene.key().sign(b"any text").unwrap_err();
        let broken = AgentError::Broken.to_string();
        assert_eq!(error, SignError::OutOfReach(broken), "{length}");
    }
}

#[test]
fn what_is_no_answer_is_no_signature() {
    let frames = |answers: &[Answer]| -> Vec<u8> {
        answers.iter().flat_map(|answer| answer.to_frame().unwrap()).collect()
    };
    for said in [
        vec![0xff; 5000],
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        frames(&[Answer::End]),
        frames(&[Answer::Signature(vec![7; 63])]),
        frames(&[Answer::Signature(Vec::new())]),
        Request::List.to_frame().unwrap(),
    ] {
        let scene = Scene::new(vec![rightly(), saying(said.clone()), saying(said.clone())]);
        let error = scene.key().sign(b"any text").unwrap_err();
        assert!(matches!(error, SignError::Refused(_)), "{error}");
        let listed = scene.agent().list();
        assert!(listed.is_err() || listed.unwrap().is_empty());
    }
}

/// However long it takes, in silence or octet by octet, the client does not wait for ever.
#[test]
fn an_agent_that_takes_too_long_is_late() {
    let silence: Act = Box::new(|mut stream| {
        // Until the client goes.
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
    let trickle: Act = Box::new(|mut stream| {
        request(&mut stream);
        let long = Answer::Signature(vec![7; 4000]).to_frame().unwrap();
        for octet in long {
            if stream.write_all(&[octet]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
    });
    for act in [silence, trickle] {
        let scene = Scene::new(vec![act]);
        let agent = scene.agent().with_patience(Duration::from_millis(50));
        let error = agent.list().unwrap_err();
        assert!(matches!(error, AgentError::Late(_)) && error.is_temporary(), "{error}");
    }
}

/// An agent that is stopped takes no more connections once its queue is full.
#[test]
fn a_full_queue_is_not_waited_for_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.sock");
    let address = SocketAddrUnix::new(&path).unwrap();
    let socket = || rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    let listening = socket();
    rustix::net::bind(&listening, &address).unwrap();
    rustix::net::listen(&listening, 0).unwrap();
    let mut queue = Vec::new();
    loop {
        let waiting = socket();
        rustix::io::ioctl_fionbio(&waiting, true).unwrap();
        match rustix::net::connect(&waiting, &address) {
            Ok(()) => queue.push(waiting),
            Err(error) => break assert_eq!(error, rustix::io::Errno::AGAIN),
        }
    }
    let agent = Agent::at(&path).with_patience(Duration::from_millis(50));
    let error = agent.list().unwrap_err();
    assert!(matches!(error, AgentError::Late(_)), "{error}");
    assert!(agent.is_there());
}
