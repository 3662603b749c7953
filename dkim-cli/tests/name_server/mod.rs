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
pub struct Account {
    /// By name, the ids of its questions: one that is sent again has the same (RFC 1035 §4.1.1).
    asked: HashMap<String, HashSet<[u8; 2]>>,
    /// The names that wait for their answer.
    open: HashSet<String>,
    most_open: usize,
}

impl NameServer {
    /// Answers with this record, some time after the question may be answered.
    pub fn start(record: &str, may_answer: fn(&str, &Account) -> bool) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (address, account) = (socket.local_addr().unwrap(), Arc::<Mutex<Account>>::default());
        let (record, shared) = (record.as_bytes().to_vec(), Arc::clone(&account));
        thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                let (name, answer) = answer(&query[..length], &record);
                shared.lock().unwrap().opened(&name, [query[0], query[1]]);
                let (socket, shared) = (socket.try_clone().unwrap(), Arc::clone(&shared));
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(50));
                    while !may_answer(&name, &shared.lock().unwrap()) {
                        thread::sleep(Duration::from_millis(5));
                    }
                    shared.lock().unwrap().open.remove(&name);
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
    pub fn was_asked(&self, name: &str) -> bool {
        self.asked.contains_key(name)
    }

    pub fn names_asked(&self) -> usize {
        self.asked.len()
    }

    fn opened(&mut self, name: &str, id: [u8; 2]) {
        self.asked.entry(name.to_owned()).or_default().insert(id);
        self.open.insert(name.to_owned());
        self.most_open = self.most_open.max(self.open.len());
    }
}

/// The name in a query, and the answer to it (RFC 1035 §4.1).
fn answer(query: &[u8], record: &[u8]) -> (String, Vec<u8>) {
    let (mut end, mut labels) = (12, Vec::new());
    while query[end] != 0 {
        let label = end + 1..end + 1 + usize::from(query[end]);
        end = label.end;
        labels.push(String::from_utf8_lossy(&query[label]).to_lowercase());
    }
    let mut answer = query[..end + 5].to_vec();
    answer[2] |= 0x80;
    answer[3] = 0x80;
    answer[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
    let length = u8::try_from(record.len()).unwrap();
    answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
    answer.extend(record);
    (labels.join("."), answer)
}
