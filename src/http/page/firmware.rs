//! Firmware: what is here, whether it is whole, who asks for it, and who waits for what is not.

use axum::extract::State;
use maud::{Markup, html};

use super::{
    super::{
        api::{self, AskedView, FindingView, FirmwareList, firmware_list},
        operators::Operators,
    },
    Place, frame, prose, waves,
};
use crate::domain::FindingKind;

/// Findings shown; the board has the rest.
const SHOWN: usize = 100;

/// Phones named beside a file.
const NAMED: usize = 4;

/// The page.
pub async fn page(State(operators): State<Operators>) -> Markup {
    let list = firmware_list(&operators);
    let found = findings(&operators).await;
    let directory = operators.service.provisioner().settings().appliance.firmware.clone();
    let waves = api::waves(&operators).await;
    let content = html! {
        h1 { "Firmware" }
        p.lead { "What lies in " code { (directory.display()) } ". " code { "ringup firmware add FILE" } " unpacks what vendors ship, " code { "ringup reload" } " puts it into force." }
        div #renewed {
            (waves::section(&waves))
            (trouble(&found))
            (wanted(&operators))
            (missing(&list))
            (held(&list))
        }
    };
    let place = Place { title: "Firmware", path: "/firmware", script: "/firmware.js", mac: None };
    frame(&place, &operators, &content)
}

/// Findings about firmware.
async fn findings(operators: &Operators) -> Vec<FindingView> {
    let ledger = &operators.service.ledger;
    ledger.refresh(&operators.service).await;
    let (mut found, mut after) = (Vec::new(), None);
    while found.len() < SHOWN {
        let some = ledger.page(after, SHOWN);
        let Some((last, _)) = some.last() else { break };
        after = Some(*last);
        found.extend(some.iter().flat_map(|(mac, findings)| {
            let firmware = findings.iter().filter(|finding| is_firmware(finding.kind));
            firmware.map(|finding| FindingView::new(Some(*mac), finding))
        }));
    }
    found.truncate(SHOWN);
    found
}

fn is_firmware(kind: FindingKind) -> bool {
    kind.as_str().starts_with("firmware-")
}

fn trouble(found: &[FindingView]) -> Markup {
    html! {
        @if !found.is_empty() {
            section aria-labelledby="trouble-title" {
                h2 #trouble-title { "Phones in trouble with firmware" }
                table.rows.wide {
                    thead { tr { th scope="col" { "Phone" } th scope="col" { "Finding" } th scope="col" { "What to do" } } }
                    tbody { @for finding in found { tr {
                        td.mac { @if let Some(mac) = &finding.mac { a href={ "/phones/" (mac) } { (mac) } } }
                        td { span.kind { (finding.kind) } " " (prose(&finding.text)) }
                        td { (prose(&finding.remedy)) }
                    } } }
                }
            }
        }
    }
}

/// The loads that sites name.
fn wanted(operators: &Operators) -> Markup {
    let provisioner = operators.service.provisioner();
    let library = provisioner.library();
    let of_sites = provisioner.settings().sites.iter();
    let rows: Vec<_> = of_sites
        .flat_map(|(site, values)| values.firmware.iter().map(move |(of, load)| (site, of, load)))
        .collect();
    // A load is named without the ending that its family asks for.
    let is_here = |load: &str| {
        let load = load.to_lowercase();
        // A load in a folder is named by its release, as the folder is.
        let named = |path: &str| path.to_lowercase().split('/').any(|part| part == load);
        let in_folder = library.loads().iter().any(|one| one.is_whole() && named(&one.name));
        in_folder
            || library.firmware_files().any(|(name, _)| {
                let name = name.to_lowercase();
                name == load || name.strip_prefix(&load).is_some_and(|rest| rest.starts_with('.'))
            })
    };
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="wanted-title" {
                h2 #wanted-title { "What the sites want" }
                table.rows {
                    thead { tr { th scope="col" { "Site" } th scope="col" { "For" } th scope="col" { "Load" } th scope="col" { "Among the files" } } }
                    tbody { @for (site, of, load) in rows { tr {
                        td { (site) } td { (of) } td.wire { (load) }
                        td { @if is_here(load) { span.good { "here" } } @else { span.warn { "no file begins with this name" } } }
                    } } }
                }
            }
        }
    }
}

fn missing(list: &FirmwareList) -> Markup {
    html! {
        @if !list.missing.is_empty() {
            section #missing aria-labelledby="missing-title" {
                h2 #missing-title { "Asked for and not here" }
                table.rows {
                    thead { tr { th scope="col" { "File" } th scope="col" { "Asked for by" } } }
                    tbody { @for file in &list.missing { tr {
                        td.wire { (file.name) } td { (asked(&file.asked)) }
                    } } }
                }
            }
        }
    }
}

fn held(list: &FirmwareList) -> Markup {
    html! {
        section aria-labelledby="held-title" {
            h2 #held-title { "Files" }
            @if list.items.is_empty() {
                p.quiet { "There is no firmware. Phones run what they have, unless their configuration names a load." }
            } @else {
                table #held .rows {
                    thead { tr { th scope="col" { "File" } th scope="col" { "Size" } th scope="col" { "Whole" }
                        th scope="col" { "Asked for by" } } }
                    tbody { @for file in &list.items { tr data-file=(file.name) {
                        td.wire { (file.name) }
                        td.number { (size(file.bytes)) }
                        td {
                            @if file.bytes == 0 { span.bad { "empty" } }
                            @else if !file.lacking.is_empty() {
                                span.bad { "lacks " (file.lacking.join(", ")) }
                            }
                            @else if is_list(&file.name) { span.good { "nothing that it names is missing" } }
                        }
                        td { (asked(&file.asked)) }
                    } } }
                }
            }
        }
    }
}

/// True for a list of parts; of other files nothing tells whether they are whole.
fn is_list(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("loads"))
}

fn asked(asked: &AskedView) -> Markup {
    html! {
        @if asked.phones == 0 { span.quiet { "nobody of late" } } @else {
            @for mac in asked.macs.iter().take(NAMED) { a.mac href={ "/phones/" (mac) } { (mac) } " " }
            @if asked.phones > NAMED { span.quiet { "and " (asked.phones - NAMED) " more" } }
        }
    }
}

/// Octets as people say them.
pub(super) fn size(octets: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", octets / unit, octets % unit * 10 / unit);
    match octets {
        ..1024 => format!("{octets} B"),
        1024..1_048_576 => format!("{} KiB", tenths(1024)),
        1_048_576..1_073_741_824 => format!("{} MiB", tenths(1_048_576)),
        _ => format!("{} GiB", tenths(1_073_741_824)),
    }
}
