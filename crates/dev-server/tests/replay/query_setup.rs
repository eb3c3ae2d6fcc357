//! The records that a server had when a query was recorded.

use wire_protocol::digest::UserKey;
use wire_protocol::message::{Message, field_type};
use wire_protocol::particle::particle_type;

use crate::index_setup::is_about_indexes;
use crate::scenario::{Scenario, scenarios};
use crate::state::{Given, messages_of};

/// For each folder, the scenario whose answer has all records that the folder's queries search, and the set
/// of those records.
const WHOLE: [(&str, &str, &[u8]); 2] =
    [("official", "query-partition-range", b"scan"), ("native", "query-partition-range", b"nscan")];

/// Scenarios of background queries, and the sets that they change, which must exist.
const BACKGROUND: [(&str, &[u8]); 2] =
    [("official/182-query-background-ops", b"bgset"), ("native/153-query-background-ops", b"nbg")];

/// A record of a set.
fn in_set(set: &[u8]) -> Given {
    Given {
        namespace: b"test".to_vec(),
        set: set.to_vec(),
        digest: UserKey::Int(1).digest(set),
        generation: 1,
        void_time: 0,
        bins: vec![(b"a".to_vec(), particle_type::INTEGER, 1i64.to_be_bytes().to_vec())],
        key: None,
    }
}

/// The records that must exist before a scenario's queries: those of its folder, and further ones in its
/// answers. With the whole folder's records, a query whose answer is partial or empty has something to leave
/// out.
pub(crate) fn before(scenario: &Scenario) -> Vec<Given> {
    if let Some((_, set)) = BACKGROUND.iter().find(|(name, _)| scenario.name == *name) {
        return vec![in_set(set)];
    }
    let needs_records =
        scenario.frames.iter().any(super::scenario::Frame::is_query) || is_about_indexes(scenario);
    if !needs_records {
        return Vec::new();
    }
    let whole = WHOLE.iter().find(|(folder, ..)| scenario.name.starts_with(&format!("{folder}/")));
    let mut found: Vec<Given> = Vec::new();
    if let Some((folder, name, _)) = whole {
        let of_folder = scenarios(folder);
        let whole = of_folder.iter().find(|scenario| scenario.name.ends_with(name)).unwrap();
        found = shown(whole);
        assert_eq!(found.len(), 40, "{}", whole.name);
    }
    let known_set = whole.map(|(.., set)| *set);
    found.extend(shown(scenario).into_iter().filter(|given| Some(&given.set[..]) != known_set));
    found
}

/// The records in a scenario's answers.
fn shown(scenario: &Scenario) -> Vec<Given> {
    let answers = scenario.frames.iter().filter(|frame| !frame.is_request);
    answers.flat_map(|frame| messages_of(&frame.bytes)).filter_map(|message| given(&message)).collect()
}

fn given(message: &Message<'_>) -> Option<Given> {
    let field = |kind| message.field(kind).map(<[u8]>::to_vec);
    Some(Given {
        namespace: field(field_type::NAMESPACE)?,
        set: field(field_type::SET).unwrap_or_default(),
        digest: field(field_type::DIGEST)?.try_into().ok()?,
        generation: message.header.generation,
        void_time: message.header.ttl,
        bins: message.ops().map(|op| (op.name.to_vec(), op.particle_type, op.value.to_vec())).collect(),
        key: field(field_type::KEY),
    })
}
