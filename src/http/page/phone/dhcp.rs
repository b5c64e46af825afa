//! DHCP explained: what a phone asked for, what it is told, and which of it its family takes.

use maud::{Markup, html};

use super::super::super::api::{OptionView, ToldView};

/// The sentence, then the tables behind it.
pub fn dhcp(told: &ToldView) -> Markup {
    let uses = told.uses.as_ref().map(called);
    let heading = if told.mode == "serve" { "What it is sent" } else { "What ringup would send" };
    html! {
        p { (told.text) }
        div.columns {
            div {
                h3 { "Where its family looks, in this order" }
                @if told.honours.is_empty() { p.quiet { "Not known." } }
                @else {
                    ol.honours {
                        @for option in &told.honours {
                            li aria-current=[(uses == Some(called(option))).then_some("true")] {
                                (called(option)) " " span.quiet { (option.name) } " "
                                @if option.text.is_empty() { span.quiet { "not sent" } }
                                @else { span.wire { (option.text) } }
                                @if uses == Some(called(option)) { " " span.good { "taken" } }
                            }
                        }
                    }
                }
                h3 { "What it asked for (option 55)" }
                @match &told.asked {
                    None => p.quiet { "It has shown no list." },
                    Some(codes) => ul.codes { @for wish in codes { li title=(wish.name) { (wish.code) " " span.quiet { (wish.name) } } } },
                }
            }
            div {
                h3 { (heading) @if let Some(subnet) = &told.subnet { ", in " (subnet) } }
                @if told.offered.is_empty() { p.quiet { (nothing(told)) } }
                @else { (offered(&told.offered, told.asked.is_some())) }
            }
        }
    }
}

/// Why nothing is sent.
fn nothing(told: &ToldView) -> &'static str {
    match (told.mode, &told.subnet) {
        ("serve", Some(_)) => "Nothing: `admit` of its subnet leaves it out.",
        ("serve", None) => "Nothing: no subnet in the settings is known to be its own.",
        _ if told.honours.is_empty() => "Nothing: no subnet is set up here.",
        _ => {
            "No subnet is set up here. What its family looks for is what the other server has to send."
        }
    }
}

fn offered(options: &[OptionView], has_list: bool) -> Markup {
    html! {
        table.plain {
            thead { tr {
                th scope="col" { "Option" } th scope="col" { "Content" } @if has_list { th scope="col" { "Option 55" } }
            } }
            tbody {
                @for option in options {
                    tr {
                        th scope="row" { (option.code) " " (option.name) }
                        td.wire { (option.text) }
                        @if has_list { td.quiet { @if option.asked { "asked for" } @else { "not asked for" } } }
                    }
                }
            }
        }
    }
}

/// `option 160`, `option 43.1`.
fn called(option: &OptionView) -> String {
    match option.sub {
        None => format!("Option {}", option.code),
        Some(sub) => format!("Option {}.{sub}", option.code),
    }
}
