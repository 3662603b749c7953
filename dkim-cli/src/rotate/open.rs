//! A configuration with keys that change, and its state while nobody else changes it.

use std::cell::RefCell;
use std::path::PathBuf;

use clap::Args;
use dkim_keys::{KeyKind, KeySource, LockedState, Plan, RotationState, StateFile};
use dkim_stack::{DomainName, now};

use super::hands::{World, sha256};
use crate::config::{ConfigFile, state_failure};
use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::{key_file, lock};

/// Which configuration, and which of its keys.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The configuration; `dkim config --help` shows how it is written
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,

    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<String>,
}

/// A key that changes.
#[derive(Clone)]
pub(crate) struct Changing {
    pub(crate) name: String,
    pub(crate) domain: DomainName,
    pub(crate) plan: Plan,
}

impl Which {
    /// Reads the configuration.
    pub(crate) fn read(&self) -> Result<(ConfigFile, Vec<Changing>), Failure> {
        let file = ConfigFile::read(&self.config)?;
        let wanted = |name: &str| self.key.as_ref().is_none_or(|key| key == name);
        let keys = file.config.rotated().filter(|(name, ..)| wanted(name));
        let keys: Vec<Changing> = keys
            .map(|(name, domain, plan)| Changing {
                name: name.to_owned(),
                domain: domain.clone(),
                plan: plan.clone(),
            })
            .collect();
        if keys.is_empty() {
            let what = match &self.key {
                Some(name) => format!("there is no key {name:?} that changes"),
                None => "there is no key that changes".to_owned(),
            };
            return Err(Failure::new(Exit::Usage, what)
                .on(self.config.display())
                .remedy("give a key `rotate = { … }`; `dkim rotate --help` shows how"));
        }
        Ok((file, keys))
    }

    /// Takes hold of the state, then reads it.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        // Where no key changes there is nothing to take hold of.
        self.read()?;
        let file = StateFile::beside(&self.config);
        let locked = file.clone().lock(lock::PATIENCE);
        let locked = locked.map_err(|error| state_failure(&file, &error))?;
        // Read when nobody else changes it any more.
        let (file, keys) = self.read()?;
        let hook_failed = RefCell::default();
        Ok(Opened { state: file.state.clone(), file, keys, locked, hook_failed })
    }
}

/// What steps are taken on.
pub(crate) struct Opened {
    file: ConfigFile,
    pub(crate) keys: Vec<Changing>,
    pub(crate) state: RotationState,
    locked: LockedState,
    /// How the hook has failed, which has been told.
    pub(crate) hook_failed: RefCell<Option<String>>,
}

impl Opened {
    /// What does the steps.
    pub(crate) fn world(&self) -> Result<World<'_>, Failure> {
        World::new(&self.file, &self.state, &self.locked, &self.hook_failed)
    }

    /// How a command ends: a hook that fails is for somebody to mend, and no server's time helps.
    pub(crate) fn exit(&self, exit: Exit) -> Exit {
        match self.hook_failed.borrow().is_some() && exit <= Exit::Temporary {
            true => Exit::NonePasses,
            false => exit,
        }
    }

    /// Lets the next step begin where this one ended.
    pub(crate) fn go_on_with(&mut self, state: RotationState) {
        self.file.config.follow(&state);
        self.state = state;
    }

    /// Takes over the key that signed by a name before there was a plan, if one did.
    pub(crate) fn take_over(&mut self, key: &Changing) -> Result<(), Failure> {
        let source = self.file.config.keys.get(&key.name).map(|entry| &entry.key);
        let Some(KeySource::Rotated { before: Some(before), .. }) = source else { return Ok(()) };
        let path = before.file_for(&key.domain, &self.file.directory);
        let signing = key_file::read(&path).map_err(|failure| match failure.exit {
            Exit::NoInput => failure
                .remedy(format_args!("put it back, or let `file` of keys.{} name it", key.name)),
            _ => failure,
        })?;
        let public = signing.public_key();
        let taken = (KeyKind::of(public), sha256(public)?);
        let mut next = self.state.clone();
        if next.take_over((&key.name, &key.domain), taken, before, now()) {
            let saved = self.locked.save(&next);
            saved.map_err(|error| state_failure(self.locked.file(), &error))?;
            self.go_on_with(next);
        }
        Ok(())
    }
}
