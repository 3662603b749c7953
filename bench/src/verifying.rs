//! Verifying a message, its key at hand, and what the library needs for it.

use std::hint::black_box;
use std::sync::Arc;

use dkim_crypto::Provider;
use dkim_dns::{Answer, BlockingResolver, Inquirer, Query, QueryId, QueryKind, Zone};
use dkim_verify::{KeyCache, Policy, Verification, Verifier};

use crate::signing::{NOW, Signing, hash};
use crate::work::{Pair, Work};

/// A signed message, and what its signatures are made of.
pub(crate) struct Verifying {
    pub(crate) signing: Signing,
    pub(crate) message: Vec<u8>,
    /// The header hash input and the signature, for each signature.
    signatures: Vec<(Vec<u8>, Vec<u8>)>,
    reader: Reader,
}

/// What reads any number of messages.
#[derive(Clone)]
pub(crate) struct Reader {
    provider: &'static dyn Provider,
    policy: Policy,
    /// To every question: the record of the one key.
    answer: Answer,
    keys: Arc<KeyCache>,
}

impl Reader {
    /// From the octets of a message to the verdicts. The body is handed over in chunks.
    pub(crate) fn read(&self, message: &[u8], chunk: usize) -> Vec<Verification> {
        let (header, body) = dkim_message::split(message);
        let mut verifier =
            Verifier::new(&header, &self.policy, NOW, self.provider).with_key_cache(&self.keys);
        for query in verifier.queries() {
            verifier.answer(query.id, self.answer.clone());
        }
        for octets in body.chunks(chunk) {
            verifier.body_chunk(octets);
        }
        verifier.finish()
    }
}

impl Verifying {
    /// Signs the message, and sees to it that it verifies.
    pub(crate) fn new(signing: Signing) -> Self {
        let mut fields = String::new();
        let mut signatures = Vec::new();
        for unsigned in signing.unsigned(signing.requests()) {
            let input = unsigned.input().to_vec();
            let signature = signing.key.sign(&input).expect("a key that signs");
            fields.push_str(&unsigned.complete(signature.clone()).to_field());
            signatures.push((input, signature));
        }
        let message = [fields.as_bytes(), &signing.message].concat();

        let name = "s._domainkey.example.com";
        let query = Query { id: QueryId(0), name: name.to_owned(), kind: QueryKind::Txt };
        let answer = Zone::new().txt(name, signing.key_record()).lookup(&query);
        let reader = Reader {
            provider: signing.provider,
            policy: Policy::rfc(),
            answer,
            keys: Arc::new(KeyCache::new(signing.provider, 1000)),
        };

        let found = reader.read(&message, usize::MAX);
        assert_eq!(found.len(), signatures.len());
        let passes = found.iter().all(Verification::passes);
        assert!(passes, "what is timed is a pass: {:?}", found.first().map(|one| &one.outcome));
        Self { signing, message, signatures, reader }
    }

    /// All signatures, and one body hash, since all of them want the same.
    pub(crate) fn limit(&self) -> Work {
        let provider = self.signing.provider;
        let key = provider.prepare(self.signing.key.public_key()).expect("a key that verifies");
        let algorithm = self.signing.key.algorithm();
        let (body, signatures) = (self.signing.canonical_body(), self.signatures.clone());
        Work::new(move || {
            hash(provider, &body);
            for (input, signature) in &signatures {
                let verified = key.verify(algorithm, black_box(input), black_box(signature));
                verified.expect("what is timed is a pass");
            }
        })
    }

    /// From octets to verdicts, the body in chunks of so many octets.
    pub(crate) fn ours_in(self, chunk: usize) -> Work {
        let Self { message, reader, .. } = self;
        Work::new(move || {
            black_box(reader.read(black_box(&message), chunk));
        })
    }

    pub(crate) fn ours(self) -> Work {
        self.ours_in(usize::MAX)
    }

    /// The same in so many threads, each of them with so many messages.
    pub(crate) fn ours_in_threads(&self, threads: u32, messages: u32) -> Work {
        let (message, reader) = (self.message.clone(), self.reader.clone());
        Work::on(threads * messages, move || {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for _ in 0..messages {
                            black_box(reader.read(black_box(&message), usize::MAX));
                        }
                    });
                }
            });
        })
    }

    pub(crate) fn pair(self) -> Pair {
        let limit = self.limit();
        #[cfg(feature = "peers")]
        let peer = crate::peers::mail_auth(&self);
        #[cfg(not(feature = "peers"))]
        let peer = None;
        Pair { limit, ours: self.ours(), peer }
    }
}
