//! What can be done with a phone: forms that the page's script sends to the API. A renewal leaves an open one alone.

use maud::{Markup, html};

use crate::{
    profile::Catalog,
    provision::{Order, Unreachable},
};

use super::super::{
    super::{
        api::{EntryView, FindingView, PhoneView, RecalledView},
        operators::Operators,
    },
    moment, prose,
};

/// Everything that can be done, closed until it is wanted.
pub fn acts(operators: &Operators, phone: &PhoneView) -> Markup {
    let (listed, again) = (phone.entry.is_some(), again(operators, phone));
    html! {
        div.acts {
            button #copy type="button" { "Copy for ticket" }
            @if let Some(Ok(order)) = &again {
                button #resync type="button" title={ "Sends it a SIP NOTIFY " (order.event) " to " (order.address) } {
                    "Make it come again"
                }
            }
            details #edit { summary { @if listed { "Edit" } @else { "List it" } } (edit(operators, phone)) }
            @if listed { details #replace { summary { "Replace" } (replace(phone)) } }
            details #forget { summary { "Forget" } (forget(phone)) }
            div #ticket data-keep hidden {
                label for="ticket-text" { "The browser does not let a page copy here: copy it by hand (Ctrl+C)." }
                textarea #ticket-text readonly rows="5" {}
            }
        }
        @if let Some(Err(why)) = &again {
            p #by-hand.quiet { "To make it come again, restart it by hand: " (prose(&why.to_string())) "." }
        }
    }
}

/// The order to make it come again, or why nobody here can; `None` for a phone that was never here, which nobody waits
/// for.
fn again(operators: &Operators, phone: &PhoneView) -> Option<Result<Order, Unreachable>> {
    let mac = phone.since.as_ref().and_then(|_| phone.mac.parse().ok())?;
    Some(operators.service.order(mac))
}

/// What came of asking it to come again, until it does.
pub fn recalled(recalled: &RecalledView) -> Markup {
    let class = if recalled.reply == "accepted" { "fine" } else { "trouble" };
    html! {
        div #recalled class=(class) data-reply=(recalled.reply) {
            strong { "Asked to come again (" (recalled.event) "): " (prose(&recalled.text)) }
            " " (moment(&recalled.at))
            @if recalled.reply == "accepted" {
                p { "It fetches its files when it is idle. If nothing happens, restart it by its power." }
            }
            @if !recalled.remedy.is_empty() { p { (prose(&recalled.remedy)) } }
        }
    }
}

/// The button that accepts a finding's repair, for a finding that proposes one.
pub fn repair(finding: &FindingView) -> Markup {
    let Some(repair) = &finding.repair else { return html! {} };
    let does = match (&repair.mac, &repair.model, &repair.site) {
        (Some(mac), ..) => format!("List it under {mac}"),
        (None, Some(model), _) => format!("List it as {model}"),
        (None, None, Some(site)) => format!("List it at {site}"),
        (None, None, None) => return html! {},
    };
    html! { p { button.do type="button" data-accept=(finding.kind) { (does) } } }
}

fn edit(operators: &Operators, phone: &PhoneView) -> Markup {
    let provisioner = operators.service.provisioner();
    let nothing = EntryView::default();
    let entry = phone.entry.as_ref().unwrap_or(&nothing);
    let sites = provisioner.settings().sites.keys();
    let seen = phone.identity.model.as_deref().unwrap_or_default();
    // Whoever lists a phone that says what it is need not type it.
    let model = if phone.entry.is_some() { entry.model.as_str() } else { seen };
    html! {
        form #edit-form data-form {
            (field("number", "Number", &entry.number, None))
            (field("name", "Name", &entry.name, None))
            (field("model", "Model", model, Some("models")))
            (field("site", "Site", entry.site.as_deref().unwrap_or_default(), Some("sites")))
            (field("location", "Location", &entry.location, None))
            (field("note", "Note", &entry.note, None))
            datalist #models { @for model in models(provisioner.catalog(), phone) { option value=(model) {} } }
            datalist #sites { @for site in sites { option value=(site) {} } }
            (end(if phone.entry.is_some() { "Save" } else { "List it" }))
        }
    }
}

fn field(name: &str, label: &str, value: &str, list: Option<&str>) -> Markup {
    html! {
        label for={ "edit-" (name) } { (label) }
        input id={ "edit-" (name) } name=(name) value=(value) list=[list] autocomplete="off" spellcheck="false";
    }
}

/// The button that sends a form, the one that closes it, and where its problem is said.
fn end(does: &str) -> Markup {
    html! {
        p.problem role="alert" hidden {}
        p.buttons {
            button type="submit" { (does) }
            button type="button" data-close { "Cancel" }
        }
    }
}

/// The models that make sense here: those of its family where that is known, else all that can be provisioned.
fn models<'a>(catalog: &'a Catalog, phone: &PhoneView) -> Vec<&'a str> {
    let family = phone.identity.family.as_deref().and_then(|name| catalog.family(name));
    let families = catalog.families().filter(|it| match family {
        Some(family) => it.name == family.name,
        None => it.provisions,
    });
    families.flat_map(|family| family.models.keys().map(String::as_str)).collect()
}

fn replace(phone: &PhoneView) -> Markup {
    html! {
        form #replace-form data-form {
            p.quiet {
                "Another phone takes the place of " (phone.mac) ": entry, lines and reserved address move, and its SIP "
                "passwords are made anew. It stays on record, not listed."
            }
            label for="replace-by" { "New phone" }
            input #replace-by name="by" required autocomplete="off" spellcheck="false"
                placeholder="MAC address, or scan its label";
            div #replace-plan role="status" data-keep {}
            (end("Look first"))
        }
    }
}

fn forget(phone: &PhoneView) -> Markup {
    let number =
        phone.entry.as_ref().map(|entry| entry.number.as_str()).filter(|it| !it.is_empty());
    html! {
        form #forget-form data-form {
            p {
                "Its entry, its timeline and what was learned of it go; this can't be undone. "
                @if let Some(number) = number { "The number " (number) " stays its own if it was registered by itself. " }
                "A phone that is still there comes back with its next packet."
            }
            (end("Forget this phone"))
        }
    }
}

/// The files that it would get: the list comes from the API, because it takes rendering each.
pub fn files() -> Markup {
    html! {
        section #files data-keep {
            h2 { "Files it would get" }
                p #files-state.quiet role="status" { "Looking …" }
                table.plain hidden {
                    thead { tr {
                        th scope="col" { "File" } th scope="col" { "What for" } th scope="col" { "What answers" }
                        th scope="col" { span.unseen { "Look" } }
                    } }
                    tbody #files-list {}
                }
                details #files-others hidden {
                    summary.quiet { "What it may ask for too, is not here, and is not needed" }
                    ul #files-needless.codes {}
                }
                div #file hidden {
                    h3 #file-name tabindex="-1" {}
                    p.buttons {
                        button #file-reveal type="button" { "Show its passwords" }
                        button #file-close type="button" { "Close" }
                    }
                    p #file-sure hidden {
                        "The passwords will stand here for everybody to see, and ringup records that somebody looked. "
                        button #file-yes type="button" { "Show them" } " "
                        button #file-no type="button" { "No" }
                    }
                    p #file-problem.problem role="alert" hidden {}
                    pre #file-text.wire tabindex="0" hidden {}
                    table #file-values.plain hidden {
                        thead { tr {
                            th scope="col" { "Value" } th scope="col" { "Is" } th scope="col" { "Set by" }
                        } }
                        tbody {}
                    }
                }
        }
    }
}
