//! Which values a template read, for an operator who asks where they come from.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use minijinja::{
    Value,
    value::{Enumerator, Object, ObjectRepr, ValueKind},
};

/// The most values that are remembered; a template that reads more is explained that far.
const MAX_READS: usize = 10_000;

/// One value that a template read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Read {
    /// Its path as the template spells it: `lines[0].user`.
    pub path: String,
    /// It as text; empty for an empty list and for nothing.
    pub value: String,
}

/// What templates read of the values that they were given through [`Reads::watch`], in the order of first reading.
#[derive(Clone, Debug, Default)]
pub struct Reads(Arc<Mutex<Vec<Read>>>);

/// A map or a list that tells what is taken out of it.
struct Watched {
    inner: Value,
    path: String,
    reads: Reads,
}

impl Reads {
    /// These values, watched.
    #[must_use]
    pub fn watch(&self, values: Value) -> Value {
        self.under(String::new(), values)
    }

    /// What was read so far.
    #[must_use]
    pub fn list(&self) -> Vec<Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The values behind those that [`Reads::watch`] gave; any others as they are.
    pub(super) fn unwatched(values: &Value) -> Value {
        let watched = values.downcast_object_ref::<Watched>();
        watched.map_or_else(|| values.clone(), |watched| watched.inner.clone())
    }

    /// `instead`, watched if `values` are.
    pub(super) fn rewatch(values: &Value, instead: Value) -> Value {
        match values.downcast_object_ref::<Watched>() {
            Some(watched) => watched.reads.watch(instead),
            None => instead,
        }
    }

    fn under(&self, path: String, value: Value) -> Value {
        let empty = value.len() == Some(0);
        match value.kind() {
            ValueKind::Map | ValueKind::Seq if !empty => {
                Value::from_object(Watched { inner: value, path, reads: self.clone() })
            }
            kind => {
                let text = match kind {
                    ValueKind::None | ValueKind::Map | ValueKind::Seq => String::new(),
                    _ => value.to_string(),
                };
                self.note(path, text);
                value
            }
        }
    }

    fn note(&self, path: String, value: String) {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reads.len() < MAX_READS && reads.iter().all(|read| read.path != path) {
            reads.push(Read { path, value });
        }
    }
}

impl Object for Watched {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.inner.kind() == ValueKind::Seq { ObjectRepr::Seq } else { ObjectRepr::Map }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let value = self.inner.get_item(key).ok().filter(|value| !value.is_undefined())?;
        let path = match (self.path.as_str(), key.as_str()) {
            ("", _) => key.to_string(),
            (path, Some(name)) => format!("{path}.{name}"),
            (path, None) => format!("{path}[{key}]"),
        };
        Some(self.reads.under(path, value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.inner.kind() {
            ValueKind::Seq => Enumerator::Seq(self.inner.len().unwrap_or_default()),
            _ => Enumerator::Values(self.inner.try_iter().into_iter().flatten().collect()),
        }
    }
}

impl fmt::Debug for Watched {
    /// Without the values, which may be passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, context};

    use super::*;

    #[test]
    fn what_a_template_reads() {
        let values = context! {
            name => "Anna", unread => 1, servers => vec![context! { address => "a", port => 1 }],
            keys => vec![context! { kind => "blf", value => "1" }, context! { kind => "line", value => "2" }],
            proxies => Vec::<Value>::new(), failover => (), var => context! { room => "7" },
        };
        let text = "{{ name }}{{ name }}{% for s in servers[:5] %}{{ s.address }}{% endfor %}{{ servers|length }}\
            {% if proxies %}x{% endif %}{% if failover %}x{% endif %}{{ var.room }}\
            {% for k in keys|selectattr('kind', 'equalto', 'blf')|list %}{{ k.value }}{% endfor %}{{ range(2)|list|length }}";
        let environment = Environment::new();
        let reads = Reads::default();
        let render = |values: Value| environment.render_str(text, values).unwrap();
        assert_eq!(render(reads.watch(values.clone())), render(values));
        let list = reads.list();
        let told: Vec<_> =
            list.iter().map(|read| format!("{}={}", read.path, read.value)).collect();
        let expected = "name=Anna servers[0].address=a proxies= failover= var.room=7 \
            keys[0].kind=blf keys[1].kind=line keys[0].value=1";
        assert_eq!(told.join(" "), expected);
    }
}
