//! Phones of several families that ask for files of one name.

use super::*;

const PHONE: &str = "001e7ac41022";

/// Which template its own file comes from, by what is listed and by what it showed.
fn check(model: &str, class: &str, template: &str) {
    let mut changes = vec![listed(PHONE, model, "4012"), leased(PHONE, 51)];
    if !class.is_empty() {
        changes.push(showed(PHONE, Seen::Option60(class.as_bytes())));
    }
    let opened = open(&provisioner(serving(), changes), "10.20.0.51 SEP001E7AC41022.cnf.xml");
    let source = opened.map_or_else(|refusal| format!("{:?}", refusal.why), |opened| opened.source);
    let family = source.trim_start_matches("template ").split('/').next().unwrap_or_default();
    assert_eq!(family, template, "{model}, {class}");
}

#[test]
fn a_listed_model_decides_where_nothing_else_does() {
    check("7961G", "", "cisco-79xx-enterprise");
    check("CP-8841-K9", "", "cisco-78xx-88xx-enterprise");
    check("7841", "", "cisco-78xx-88xx-enterprise");
    check("6941", "", "cisco-69xx-89xx-99xx-enterprise");
    check("Cisco 9971", "", "cisco-69xx-89xx-99xx-enterprise");
    check("7905G", "", "cisco-legacy-sccp");
    // A 6901 says no more of itself.
    check("6901", "Cisco Systems, Inc.", "cisco-69xx-89xx-99xx-enterprise");
    check("8841", "Cisco Systems, Inc. IP Phone\0", "cisco-78xx-88xx-enterprise");
}

#[test]
fn what_a_phone_shows_beats_what_is_listed() {
    let class = |model: &str| format!("Cisco Systems, Inc. IP Phone CP-{model}\0");
    check("7961", &class("8841"), "cisco-78xx-88xx-enterprise");
    check("8841", &class("7961G-GE"), "cisco-79xx-enterprise");
    check("", &class("8945"), "cisco-69xx-89xx-99xx-enterprise");
}

#[test]
fn a_product_name_leads_to_the_phones_own_file() {
    let here = provisioner(
        serving(),
        vec![
            listed(PHONE, "SPA504G", "4012"),
            listed("001e7ac41023", "8841-3PCC", "4013"),
            leased(PHONE, 51),
            leased("001e7ac41023", 52),
        ],
    );
    let check = |line, expected| super::check(&here, line, expected);
    check(
        "10.20.0.51 /spa504G.cfg",
        "common of 00:1e:7a:c4:10:22 from template cisco-spa/common.xml.j2",
    );
    check(
        "10.20.0.51 /spa001e7ac41022.xml",
        "own of 00:1e:7a:c4:10:22 from template cisco-spa/phone.xml.j2",
    );
    check(
        "10.20.0.52 /8841-3PCC.xml",
        "common of 00:1e:7a:c4:10:23 from template cisco-mpp-3pcc/common.xml.j2",
    );
    check(
        "10.20.0.52 /mpp001e7ac41023.xml",
        "own of 00:1e:7a:c4:10:23 from template cisco-mpp-3pcc/phone.xml.j2",
    );
    check(
        "10.20.0.52 /Cisco/CP-8841-3PCC/001e7ac41023.cfg",
        "own of 00:1e:7a:c4:10:23 from template cisco-mpp-3pcc/phone.xml.j2",
    );
    check(
        "10.20.0.52 /spa001e7ac41022.xml",
        "00:1e:7a:c4:10:22 has another address than 10.20.0.52, so its file is withheld",
    );
}

/// The second port of an adapter asks under an address made of the first one's; it may look like a group's (`21…`), or
/// like another phone's.
#[test]
fn the_second_port_of_an_adapter() {
    let check = |first: &str, second: &str, template: &str| {
        let mut changes = vec![listed(first, "ATA190", "4012"), leased(first, 51)];
        // Somebody else's adapter of nearly the same address.
        changes.extend([listed("02a0b1c2d301", "ATA190", "4013"), leased("02a0b1c2d301", 52)]);
        let here = provisioner(serving(), changes);
        super::check(
            &here,
            &format!("10.20.0.51 ATA{second}.cnf.xml"),
            &format!("own of {} from template cisco-ata/{template}", mac(first)),
        );
    };
    check("0021a0b1c2d3", "21A0B1C2D301", "port2.cnf.xml.j2");
    check("001e7ac41022", "1E7AC4102201", "port2.cnf.xml.j2");
    check("001e7ac41022", "001E7AC41022", "port1.cnf.xml.j2");
    // A first port whose address ends like a second one's.
    check("001e7ac41001", "001E7AC41001", "port1.cnf.xml.j2");
}

#[test]
fn an_operator_looks_at_either_port() {
    let first = "001e7ac41022";
    let here = provisioner(serving(), vec![listed(first, "ATA190", "4012")]);
    let state = here.view().read();
    let check = |name: &str, phone: &str| {
        let found = here.catalog().resolve(name);
        let subject = here.look_at(mac(first), &found, &state, [10, 20, 0, 1].into());
        assert_eq!(subject.mac, Some(mac(phone)), "{name}");
    };
    check("ATA1E7AC4102201.cnf.xml", first);
    check("ATA001E7AC41022.cnf.xml", first);
    check("ATA001E7AC41099.cnf.xml", "001e7ac41099");
}
