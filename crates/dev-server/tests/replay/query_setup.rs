//! The records that a server had when a query was recorded.

use wire_protocol::message::{Message, field_type};

use crate::scenario::{Scenario, scenarios};
use crate::state::{Given, messages_of};

/// For each folder, the scenario whose answer has all records that the folder's queries search, and the set
/// of those records.
const WHOLE: [(&str, &str, &[u8]); 2] =
    [("official", "query-partition-range", b"scan"), ("native", "query-partition-range", b"nscan")];

/// The records that must exist before a scenario's queries: those of its folder, and further ones in its
/// answers. With the whole folder's records, a query whose answer is partial or empty has something to leave
/// out.
pub(crate) fn before(scenario: &Scenario) -> Vec<Given> {
    if !scenario.frames.iter().any(super::scenario::Frame::is_query) {
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
