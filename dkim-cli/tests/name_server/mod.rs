//! A name server that takes its time, and keeps account of what it is asked.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Has one TXT record for every name.
pub struct NameServer {
    pub address: SocketAddr,
    account: Arc<Mutex<Account>>,
}

#[derive(Default)]
struct Account {
    /// By name, the ids of its questions: one that is sent again has the same (RFC 1035 §4.1.1).
    asked: HashMap<Vec<u8>, HashSet<[u8; 2]>>,
    /// The names that wait for their answer.
    open: HashSet<Vec<u8>>,
    most_open: usize,
}

impl NameServer {
    /// Answers with this record after this time.
    pub fn start(record: &str, delay: Duration) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (address, account) = (socket.local_addr().unwrap(), Arc::<Mutex<Account>>::default());
        let (record, shared) = (record.as_bytes().to_vec(), Arc::clone(&account));
        thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                let (question, answer) = answer(&query[..length], &record);
                shared.lock().unwrap().opened(&question, [query[0], query[1]]);
                let (socket, shared) = (socket.try_clone().unwrap(), Arc::clone(&shared));
                thread::spawn(move || {
                    thread::sleep(delay);
                    shared.lock().unwrap().open.remove(&question);
                    // Who asked may be gone.
                    let _ = socket.send_to(&answer, from);
                });
            }
        });
        Self { address, account }
    }

    /// How many names waited for their answer at the same time, at most.
    pub fn most_open(&self) -> usize {
        self.account.lock().unwrap().most_open
    }

    /// How often each name was asked.
    pub fn asked(&self) -> Vec<usize> {
        self.account.lock().unwrap().asked.values().map(HashSet::len).collect()
    }
}

impl Account {
    fn opened(&mut self, question: &[u8], id: [u8; 2]) {
        self.asked.entry(question.to_vec()).or_default().insert(id);
        self.open.insert(question.to_vec());
        self.most_open = self.most_open.max(self.open.len());
    }
}

/// The name in a query, and the answer to it (RFC 1035 §4.1).
fn answer(query: &[u8], record: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut end = 12;
    while query[end] != 0 {
        end += usize::from(query[end]) + 1;
    }
    let mut answer = query[..end + 5].to_vec();
    answer[2] |= 0x80;
    answer[3] = 0x80;
    answer[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
    let length = u8::try_from(record.len()).unwrap();
    answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
    answer.extend(record);
    (query[12..end].to_vec(), answer)
}
