//! What phones of one make show of themselves.
//!
//! Option 60 texts: wazo-provd-plugins@2321a3f `dhcpd_update`, the trace in flan/staticdhcpd issue 28, Polycom's SIP 2.2
//! administrator guide (binary form). Option 55 orders: fingerbank and the same traces. User-Agents: wazo-provd-plugins
//! and public server logs.

use crate::domain::Mac;

/// How a family reads its way through a boot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Boot {
    /// `SEP{MAC}.cnf`, then `SEPDEFAULT.cnf`, then all over again.
    CiscoLegacy,
    /// Skinny load of a 7940 or 7960.
    Cisco7960Skinny,
    /// SIP load of a 7940 or 7960.
    Cisco7960Sip,
    /// Trust lists, `SEP{MAC}.cnf.xml`, then loads and locale files.
    CiscoXml {
        /// 9.x loads ask by HTTP on port 6970 before they ask by TFTP.
        http_first: bool,
        /// The locale file that this hardware asks for.
        locale: &'static str,
    },
    /// Master, firmware, configuration files, overrides; once as updater and once as application.
    Poly {
        /// The part number in front of `.sip.ld`.
        part: &'static str,
    },
    /// `.boot` files, else y-file and MAC file.
    Yealink {
        /// The code in the y-file's name.
        code: &'static str,
    },
}

/// How option 60 is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// Text as it is, trailing NUL included where the phone sends one.
    Text(&'static str),
    /// Poly's binary form after RFC 3925: model, part, application and boot loader.
    Poly(&'static str, &'static str, &'static str, &'static str),
}

/// One make of phones.
#[derive(Debug, Eq, PartialEq)]
pub struct Make {
    /// The family, as its profile is called.
    pub family: &'static str,
    /// The model as an operator would list it.
    pub model: &'static str,
    /// Registered prefix of its addresses.
    pub prefix: [u8; 3],
    /// Option 60.
    pub class: Class,
    /// Option 12, with `{mac}` or `{MAC}`.
    pub host: &'static str,
    /// Option 55.
    pub asks: &'static [u8],
    /// HTTP User-Agent, with `{mac}` (colons) and `{type}`; empty for phones that send none.
    pub agent: &'static str,
    /// The load that it runs.
    pub load: &'static str,
    /// How it boots.
    pub boot: Boot,
}

const CISCO: &[u8] = &[1, 66, 6, 3, 15, 150, 35];
const POLY: &[u8] = &[1, 28, 160, 66, 43, 3, 4, 42, 2, 6, 15, 7];
const YEALINK: &[u8] = &[1, 2, 3, 4, 6, 7, 12, 15, 28, 42, 66, 67, 43, 120];

/// Every make that can be simulated, all families in turn.
pub const MAKES: &[Make] = &[
    Make {
        family: "cisco-legacy-sccp",
        model: "7935",
        prefix: [0x00, 0x30, 0x94],
        class: Class::Text("Cisco Systems, Inc."),
        host: "SEP{MAC}",
        asks: CISCO,
        agent: "",
        load: "P00503010100",
        boot: Boot::CiscoLegacy,
    },
    Make {
        family: "cisco-7940-7960",
        model: "7960G",
        prefix: [0x00, 0x06, 0x53],
        class: Class::Text("Cisco Systems, Inc. IP Phone CP-7960G\0"),
        host: "SEP{MAC}",
        asks: CISCO,
        agent: "",
        load: "P0S3-8-12-00",
        boot: Boot::Cisco7960Sip,
    },
    Make {
        family: "cisco-79xx-enterprise",
        model: "7961G",
        prefix: [0x00, 0x21, 0xa0],
        class: Class::Text("Cisco Systems, Inc. IP Phone CP-7961G\0"),
        host: "SEP{MAC}",
        asks: CISCO,
        agent: "",
        load: "SIP41.8-5-4S",
        boot: Boot::CiscoXml { http_first: false, locale: "mk-sip.jar" },
    },
    Make {
        family: "poly-soundpoint",
        model: "SoundPoint IP 670",
        prefix: [0x00, 0x04, 0xf2],
        class: Class::Text("Polycom-SPIP670"),
        host: "Polycom_{mac}",
        asks: POLY,
        agent: "FileTransport PolycomSoundPointIP-SPIP_670-UA/4.0.15.1047 Type/{type}",
        load: "4.0.15.1047",
        boot: Boot::Poly { part: "2345-12670-001" },
    },
    Make {
        family: "poly-vvx",
        model: "VVX 411",
        prefix: [0x64, 0x16, 0x7f],
        class: Class::Poly(
            "VVX-VVX_411",
            "3111-48450-001,1",
            "SIP/5.9.7.47435/01-Sep-21",
            "UP/5.9.7.47435/01-Sep-21",
        ),
        host: "Polycom_{mac}",
        asks: POLY,
        agent: "FileTransport PolycomVVX-VVX_411-UA/5.9.7.47435 Type/{type}",
        load: "5.9.7.47435",
        boot: Boot::Poly { part: "3111-48450-001" },
    },
    Make {
        family: "yealink-desk",
        model: "T46S",
        prefix: [0x80, 0x5e, 0xc0],
        class: Class::Text("yealink"),
        host: "SIP-T46S",
        asks: YEALINK,
        agent: "Yealink SIP-T46S 66.86.0.160 {mac}",
        load: "66.86.0.160",
        boot: Boot::Yealink { code: "66" },
    },
    Make {
        family: "cisco-79xx-enterprise",
        model: "7942G",
        prefix: [0x00, 0x26, 0x99],
        class: Class::Text("Cisco Systems, Inc. IP Phone CP-7942G\0"),
        host: "SEP{MAC}",
        asks: &[1, 66, 6, 3, 15, 150, 35, 151],
        agent: "",
        load: "SIP42.9-2-1S",
        boot: Boot::CiscoXml { http_first: true, locale: "mk-sip.jar" },
    },
    Make {
        family: "poly-soundpoint",
        model: "SoundPoint IP 550",
        prefix: [0x00, 0x04, 0xf2],
        class: Class::Poly(
            "SoundPointIP-SPIP_550",
            "2345-12500-001,2",
            "SIP/4.0.15.1047/24-Apr-20",
            "BR/5.0.15.1047/24-Apr-20",
        ),
        host: "Polycom_{mac}",
        asks: POLY,
        agent: "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/{type}",
        load: "4.0.15.1047",
        boot: Boot::Poly { part: "2345-12500-001" },
    },
    Make {
        family: "yealink-desk",
        model: "T54W",
        prefix: [0x80, 0x5e, 0x0c],
        class: Class::Text("yealink"),
        host: "SIP-T54W",
        asks: YEALINK,
        agent: "Yealink SIP-T54W 96.86.0.45 {mac}",
        load: "96.86.0.45",
        boot: Boot::Yealink { code: "96" },
    },
    Make {
        family: "cisco-7940-7960",
        model: "7940G",
        prefix: [0x00, 0x06, 0x53],
        class: Class::Text("Cisco Systems, Inc. IP Phone CP-7940G\0"),
        host: "SEP{MAC}",
        asks: &[1, 28, 66, 6, 15, 3, 35, 150],
        agent: "",
        load: "P00308000500",
        boot: Boot::Cisco7960Skinny,
    },
    Make {
        family: "cisco-79xx-enterprise",
        model: "7965G",
        prefix: [0x00, 0x21, 0x55],
        class: Class::Text("Cisco Systems, Inc. IP Phone CP-7965G\0"),
        host: "SEP{MAC}",
        asks: CISCO,
        agent: "",
        load: "SIP45.8-5-4S",
        boot: Boot::CiscoXml { http_first: false, locale: "be-sip.jar" },
    },
];

impl Make {
    /// The make of a model, by the name in [`MAKES`].
    #[must_use]
    pub fn of(model: &str) -> Option<&'static Self> {
        MAKES.iter().find(|make| make.model == model)
    }

    /// The `number`th address of this make; numbers beyond 24 bits wrap.
    #[must_use]
    pub fn mac(&self, number: u32) -> Option<Mac> {
        let mut octets = number.to_be_bytes();
        let [_, suffix @ ..] = &mut octets;
        let whole = [self.prefix, *suffix].concat();
        Mac::new(*whole.first_chunk()?).ok()
    }

    /// Option 60 as sent.
    #[must_use]
    pub fn option_60(&self) -> Vec<u8> {
        match self.class {
            Class::Text(text) => text.as_bytes().to_vec(),
            Class::Poly(model, part, application, boot_rom) => {
                poly_class(&["Polycom", model, part, application, boot_rom])
            }
        }
    }

    /// Option 12 as sent.
    #[must_use]
    pub fn option_12(&self, mac: Mac) -> String {
        self.host.replace("{MAC}", &mac.upper()).replace("{mac}", &mac.lower())
    }

    /// The User-Agent in a stage (`Updater`, `Application`); empty if this make sends none.
    #[must_use]
    pub fn user_agent(&self, mac: Mac, stage: &str) -> String {
        self.agent.replace("{mac}", &mac.to_string()).replace("{type}", stage)
    }
}

/// Polycom's enterprise number, the length of what follows, sub-options numbered from 1, and an end mark.
fn poly_class(parts: &[&str]) -> Vec<u8> {
    let mut inner = Vec::new();
    for (code, part) in (1_u8..).zip(parts) {
        inner.push(code);
        inner.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        inner.extend_from_slice(part.as_bytes());
    }
    let length = u8::try_from(inner.len()).unwrap_or(u8::MAX);
    [&[0x00, 0x00, 0x36, 0x3d, length], &inner[..], &[0xff]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polys_binary_class_as_captured() {
        let class = poly_class(&[
            "Polycom",
            "SoundPointIP-SPIP_601",
            "2345-11605-001,2",
            "SIP/Tip.XXXX/12-Sep-06 12:34",
            "BR/3.1.0.XXXX/12-Sep-06 12:34",
        ]);
        assert_eq!(class[..7], [0x00, 0x00, 0x36, 0x3d, 0x6f, 0x01, 0x07]);
        assert_eq!(class.last(), Some(&0xff));
    }

    #[test]
    fn each_model_once_and_fit_to_send() {
        for make in MAKES {
            assert_eq!(Make::of(make.model), Some(make));
            assert!(make.option_60().len() < 256, "{}", make.model);
            assert_eq!(make.mac(7).map(|mac| mac.octets()[5]), Some(7));
        }
    }
}
