//! A list taken in: dropped or pasted, looked at row by row, mended by ticks, then imported; and handed out again.

use axum::extract::State;
use maud::{Markup, html};

use super::{super::operators::Operators, Place, frame};

/// What a column may be taken for; what has a name or number of its own is written into the header of the list.
const FIELDS: &str = "mac,model,number,name,sip-user,sip-password,site,location,address,note,line,\
     line.2.number,line.2.name,line.2.sip-user,line.2.sip-password,key.1,key.2,key.3";

/// The forms that a list is handed out in: the API's name, what it is, what is in it.
const FORMS: [(&str, &str, &str); 5] = [
    ("csv", "CSV", "the whole list, as an import takes it back"),
    ("json", "JSON", "the whole list, for scripts"),
    ("pjsip", "Asterisk", "SIP accounts as pjsip.conf"),
    ("freeswitch", "FreeSWITCH", "SIP accounts as a directory; only with passwords"),
    ("3cx", "3CX", "extensions as 3CX imports them"),
];

/// The page.
pub async fn page(State(operators): State<Operators>) -> Markup {
    let provisioner = operators.service.provisioner();
    let sites: Vec<&String> = provisioner.settings().sites.keys().collect();
    let content = html! {
        h1 { "Import a list" }
        div #said .said role="status" tabindex="-1" hidden {}
        section #source aria-labelledby="source-title" {
            h2 #source-title { "The list" }
            div.sources {
                label.drop #drop {
                    input #file type="file" accept=".csv,.tsv,.txt,text/csv,text/plain";
                    span.drop-text {
                        strong { "Drop a CSV here" } " or choose one"
                        span.sub { "comma, semicolon or tab; from Excel, FreePBX, 3CX, CUCM" }
                    }
                }
                div.paste {
                    label for="text" { "or paste from a spreadsheet" }
                    textarea #text rows="6" spellcheck="false" autocomplete="off"
                        placeholder="mac, model, number, name\n00:15:65:aa:bb:01, T46S, 4012, Front desk" {}
                }
            }
            div.row {
                label for="form" { "Form" }
                select #form {
                    option value="" { "tell by the columns" }
                    option value="ours" { "ringup's own" }
                    option value="freepbx" { "FreePBX" }
                    option value="3cx" { "3CX" }
                    option value="cucm" { "Cisco Unified CM" }
                }
                span #loaded .quiet {}
                button #clear type="button" hidden { "Another list" }
            }
        }
        div #problems role="alert" {}
        section #columns data-fields=(FIELDS) aria-labelledby="columns-title" hidden {
            h2 #columns-title { "Columns" }
            p.quiet { "What each column of the list is here. Nothing is taken before every column has a meaning or is left out." }
            div #headings .headings {}
        }
        section #verdict aria-labelledby="verdict-title" hidden {
            h2 #verdict-title { "What would happen" }
            div #counts .stages role="group" aria-label="Rows by verdict" {}
            div.row #offers hidden {
                span #offered {}
                button #take type="button" { "Tick all" }
                button #untake type="button" { "Untick all" }
            }
            table #verdicts .rows {
                thead { tr {
                    th scope="col" { "Line" } th scope="col" { "Verdict" } th scope="col" { "MAC" }
                    th scope="col" { "Number, name" } th scope="col" { "Model" } th scope="col" { "Why" }
                } }
                tbody {}
            }
            button #more type="button" hidden { "Show more" }
            div.row.bar {
                button #apply .main type="button" disabled { "Import" }
                label #partial-label hidden { input #partial type="checkbox"; " leave refused rows out" }
                span #why .quiet {}
            }
        }
        (export(&sites))
        noscript { p { "This page needs its script. The same is " code { "ringup phones import FILE.csv" } "." } }
    };
    let place = Place { title: "Import", path: "/import", script: "/import.js", mac: None };
    frame(&place, &operators, &content)
}

fn export(sites: &[&String]) -> Markup {
    html! {
        section #export aria-labelledby="export-title" {
            h2 #export-title { "Export" }
            div.row {
                label for="site" { "Site" }
                select #site {
                    option value="" { "all sites" }
                    @for site in sites { option value=(site) { (site) } }
                }
                label { input #secrets type="checkbox"; " with passwords (it is recorded that you asked)" }
            }
            ul.links {
                @for (form, name, what) in FORMS {
                    li {
                        a data-form=(form) href={ "/api/v1/phones/export?format=" (form) } { (name) }
                        " " span.quiet { (what) }
                    }
                }
            }
        }
    }
}
