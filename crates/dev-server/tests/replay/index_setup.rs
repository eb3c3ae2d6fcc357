//! The indexes that a server had when a scenario was recorded.

use wire_protocol::message::FrameType;

use crate::scenario::Scenario;

/// For each folder, the names of its scenarios from the first that creates an index to the last that drops one, and the
/// commands that created its indexes.
const INDEXES: [(&str, &str, &str, [&str; 3]); 2] = [
    (
        "official",
        "187-",
        "203-",
        [
            "sindex-create:namespace=test;set=scan;indexname=idx_n;bin=n;type=NUMERIC",
            "sindex-create:namespace=test;set=scan;indexname=idx_s;bin=s;type=STRING",
            "sindex-create:namespace=test;set=scan;indexname=idx_l;indextype=LIST;bin=l;type=NUMERIC",
        ],
    ),
    (
        "native",
        "154-",
        "164-",
        [
            "sindex-create:namespace=test;set=nscan;indexname=nidx_n;bin=n;type=NUMERIC",
            "sindex-create:namespace=test;set=nscan;indexname=nidx_s;bin=s;type=STRING",
            "sindex-create:namespace=test;set=nscan;indexname=nidx_l;indextype=LIST;bin=l;type=NUMERIC",
        ],
    ),
];

/// Whether a scenario is about indexes, and needs the records that they are about.
pub(crate) fn is_about_indexes(scenario: &Scenario) -> bool {
    scenario
        .frames
        .iter()
        .any(|frame| frame.kind == FrameType::Info && frame.body().windows(6).any(|bytes| bytes == b"sindex"))
}

/// The commands that create the indexes that must exist before a scenario: all of its folder that it does not create.
pub(crate) fn before(scenario: &Scenario) -> Vec<&'static str> {
    let Some((folder, name)) = scenario.name.split_once('/') else { return Vec::new() };
    let sent = |command: &str| {
        let sends = |frame: &crate::scenario::Frame| {
            frame.is_request && frame.body().strip_suffix(b"\n") == Some(command.as_bytes())
        };
        scenario.frames.iter().any(sends)
    };
    let of_folder = INDEXES.iter().find(|(of, first, last, _)| {
        *of == folder && *first <= name && name.get(..4).is_some_and(|number| number <= *last)
    });
    let commands = of_folder.map(|(.., commands)| commands.to_vec()).unwrap_or_default();
    commands.into_iter().filter(|command| !sent(command)).collect()
}
