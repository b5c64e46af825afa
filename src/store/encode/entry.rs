//! Forms of what operators list.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::{Entry, Key, KeyTarget, Line, Secret};

use super::{As, form};

form!(Entry => EntryForm, Line => LineForm, Key => KeyForm);

/// An entry with the commit that listed it.
#[derive(Deserialize, Serialize)]
pub(in crate::store) struct Listed {
    pub(in crate::store) changed: u64,
    #[serde(with = "shared")]
    pub(in crate::store) entry: Arc<Entry>,
}

/// What an undoable batch replaced for one phone: its entry, or that it had none.
#[derive(Deserialize, Serialize)]
pub(in crate::store) struct Replaced {
    #[serde(with = "super::option")]
    pub(in crate::store) entry: Option<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Entry")]
struct EntryForm {
    model: String,
    site: Option<String>,
    location: String,
    address: Option<Ipv4Addr>,
    note: String,
    #[serde(with = "super::list")]
    lines: Vec<Line>,
    #[serde(with = "keys")]
    keys: BTreeMap<u16, Key>,
    #[serde(with = "module_keys")]
    module_keys: BTreeMap<(u8, u16), Key>,
    set: BTreeMap<String, String>,
    var: BTreeMap<String, String>,
    auto_registered: bool,
}

/// The store keeps passwords as they are: phones get them in their files. The state directory is for its owner only.
#[derive(Deserialize, Serialize)]
#[serde(remote = "Line")]
struct LineForm {
    number: String,
    name: String,
    sip_user: String,
    #[serde(with = "secret")]
    sip_password: Secret,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Key")]
struct KeyForm {
    #[serde(with = "KeyTargetForm")]
    target: KeyTarget,
    label: String,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "KeyTarget", rename_all = "kebab-case")]
enum KeyTargetForm {
    Line(u8),
    Blf(String),
    Speed(String),
}

mod shared {
    use super::{Arc, As, Deserialize, Deserializer, Entry, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(entry: &Arc<Entry>, to: S) -> Result<S::Ok, S::Error> {
        As(&**entry).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Entry>, D::Error> {
        As::<Entry>::deserialize(from).map(|entry| Arc::new(entry.0))
    }
}

mod secret {
    use super::{Deserialize, Deserializer, Secret, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

mod keys {
    use super::{As, BTreeMap, Deserialize, Deserializer, Key, Serializer};

    pub(super) fn serialize<S: Serializer>(
        keys: &BTreeMap<u16, Key>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(keys.iter().map(|(position, key)| (position, As(key))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<u16, Key>, D::Error> {
        let keys = BTreeMap::<u16, As<Key>>::deserialize(from)?;
        Ok(keys.into_iter().map(|(position, key)| (position, key.0)).collect())
    }
}

mod module_keys {
    use super::{As, BTreeMap, Deserialize, Deserializer, Key, Serializer};

    type Keys = BTreeMap<(u8, u16), Key>;

    pub(super) fn serialize<S: Serializer>(keys: &Keys, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(keys.iter().map(|((module, position), key)| (module, position, As(key))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Keys, D::Error> {
        let keys = Vec::<(u8, u16, As<Key>)>::deserialize(from)?;
        Ok(keys.into_iter().map(|(module, position, key)| ((module, position), key.0)).collect())
    }
}
