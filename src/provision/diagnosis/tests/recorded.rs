//! Healthy boots as traces and guides have them, through the real resolver: what a phone of each family asks for, and in
//! which order. Nothing in them is read from a profile, so a profile that takes a normal miss for a fault fails here.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use crate::{
    config::{Protocol, Settings},
    domain::{Asked, Carrier, Change, Commit, Event, Granted, Mac, Outcome, Role, Timestamp, What},
    profile::Seen,
    provision::{
        Library, Provisioner, Refusal, Report, Request,
        news::News,
        tests::{catalog, leased, listed, now, serving},
    },
    store::{State, View},
};

/// A phone and what it asks for at each boot, in order. `{mac}` and `{MAC}` stand for its own; behind a name `~` says that
/// it breaks off what it has already, `^` that it takes a newer load in the second boot only; `UA n` changes its
/// User-Agent, `+n` waits.
struct Trace {
    family: &'static str,
    mac: &'static str,
    /// As it is listed.
    model: &'static str,
    option_60: &'static str,
    agents: &'static [&'static str],
    boot: &'static str,
    /// What the operator has of his own: files and loads.
    own: &'static str,
    sccp: bool,
}

const NONE: Trace = Trace {
    family: "",
    mac: "",
    model: "",
    option_60: "",
    agents: &[""],
    boot: "",
    own: "",
    sccp: false,
};

/// What a Poly asks for in each of its stages (traces of a SoundPoint IP 670 and of a VVX 500).
macro_rules! poly {
    ($part:literal) => {
        concat!(
            "UA0 {mac}.cfg~ ", $part, ".sip.ld~ sip.ld~ UA1 {mac}.cfg~ ", $part, ".sip.ld~ sip.ld~ ",
            "{mac}-line.cfg~ Welcome.wav {mac}-phone.cfg {mac}-web.cfg 000000000000-license.cfg {mac}-license.cfg ",
            "{mac}-calls.xml {mac}-directory.xml 000000000000-directory.xml"
        )
    };
}

const TRUST: &str = "CTLSEP{MAC}.tlv ITLSEP{MAC}.tlv ITLFile.tlv SEP{MAC}.cnf.xml";

#[rustfmt::skip]
const TRACES: &[Trace] = &[
    // Cisco's boot and registration guide; the operator brings CallManager's file.
    Trace { family: "cisco-legacy-sccp", mac: "003094c25e01", model: "12SP+", boot: "SEP{MAC}.cnf", own: "SEP{MAC}.cnf", sccp: true, ..NONE },
    Trace { family: "cisco-legacy-sccp", mac: "003094c25e02", model: "30VIP", boot: "SEP{MAC}.cnf", own: "SEP{MAC}.cnf", sccp: true, ..NONE },
    Trace { family: "cisco-legacy-sccp", mac: "003094c25e03", model: "7905G", option_60: "Cisco Systems, Inc. IP Phone 7905",
        boot: "SEP{MAC}.cnf.xml ld{mac} lddefault.cfg", sccp: true, ..NONE },
    // Cisco 7960 SIP administrator guide.
    Trace { family: "cisco-7940-7960", mac: "000653c25e01", model: "7960G", option_60: "Cisco Systems, Inc. IP Phone CP-7960G\0",
        boot: "OS79XX.TXT CTLSEP{MAC}.tlv SEP{MAC}.cnf.xml SIPDefault.cnf SIP{MAC}.cnf RINGLIST.DAT dialplan.xml P0S3-8-12-00.loads^ P0S3-8-12-00.sb2^",
        own: "P0S3-8-12-00.loads P0S3-8-12-00.sb2", ..NONE },
    Trace { family: "cisco-7940-7960", mac: "000653c25e02", model: "7940", option_60: "Cisco Systems, Inc. IP Phone CP-7940\0",
        boot: "CTLSEP{MAC}.tlv SEP{MAC}.cnf.xml", sccp: true, ..NONE },
    // A log of a 7942; its load as a 7961 takes it.
    Trace { family: "cisco-79xx-enterprise", mac: "002699c25e01", model: "7942", option_60: "Cisco Systems, Inc. IP Phone CP-7942G\0",
        boot: "TRUST /mk-sip.jar /g3-tones.xml dialplan.xml SIP42.9-4-2SR3-1S.loads^ jar42sip.9-4-2ES26.sbn^ cnu42.9-4-2ES26.sbn^",
        own: "SIP42.9-4-2SR3-1S.loads jar42sip.9-4-2ES26.sbn cnu42.9-4-2ES26.sbn", ..NONE },
    Trace { family: "cisco-79xx-enterprise", mac: "002699c25e02", model: "7911G", option_60: "Cisco Systems, Inc. IP Phone CP-7911G\0",
        boot: "TRUST English_United_States/tc-sccp.jar United_States/g3-tones.xml Ringlist-wb.xml", sccp: true, ..NONE },
    Trace { family: "cisco-69xx-89xx-99xx-enterprise", mac: "d0c789c25e01", model: "8945", option_60: "Cisco Systems, Inc. IP Phone CP-8945",
        boot: "TRUST English_United_States/gb-sip.jar United_States/g3-tones.xml", ..NONE },
    Trace { family: "cisco-69xx-89xx-99xx-enterprise", mac: "d0c789c25e02", model: "9971", option_60: "Cisco Systems, Inc. IP Phone CP-9971\0",
        boot: "TRUST gd-sip.jar g4-tones.xml Desktops/640x480x24/List.xml", ..NONE },
    Trace { family: "cisco-78xx-88xx-enterprise", mac: "00562bc25e01", model: "7841", option_60: "Cisco Systems, Inc. IP Phone CP-7841\0",
        boot: "TRUST /sp-sip.jar /g3-tones.xml dialplan.xml", ..NONE },
    Trace { family: "cisco-mpp-3pcc", mac: "00562bc25e02", model: "8841-3PCC", option_60: "Cisco Systems, Inc. IP Phone CP-8841-3PCC\0",
        agents: &["Cisco-CP-8841-3PCC/11.0.1 ({mac})"], boot: "/8841-3PCC.xml mpp{mac}.xml", ..NONE },
    Trace { family: "cisco-spa", mac: "0002fdc25e01", model: "SPA504G", option_60: "Cisco SPA504G",
        agents: &["Cisco/SPA504G-7.4.8a ({MAC})(CBT141400UK)"], boot: "/spa504G.cfg spa{mac}.xml", ..NONE },
    Trace { family: "cisco-spa", mac: "000e08c25e02", model: "SPA942", option_60: "LINKSYS SPA-942",
        agents: &["Linksys/SPA-942-6.1.5(a) (88019FA42805)"], boot: "/spa942.cfg spa{mac}.xml", ..NONE },
    Trace { family: "cisco-ata", mac: "003094c25e04", model: "ATA186", boot: "ata{mac}", own: "ata{mac}", ..NONE },
    Trace { family: "cisco-ata", mac: "003094c25e05", model: "ATA190", option_60: "CISCO ATA190",
        boot: "CTLSEP{MAC}.tlv ITLSEP{MAC}.tlv ITLFile.tlv ATA{MAC}.cnf.xml dialplan.xml", ..NONE },
    Trace { family: "cisco-ata", mac: "003094c25e06", model: "ATA191-MPP", option_60: "CISCO ATA191-MPP",
        agents: &["Cisco/ATA191-MPP-11-1-0-MSR4 (FCH2443D9R4)"], boot: "/ATA191-MPP.xml ata{mac}.xml", ..NONE },
    // Traces of a SoundPoint IP 670 (TFTP) and of a VVX 500 (HTTP): everything twice, unchanged files broken off.
    Trace { family: "poly-soundpoint", mac: "0004f2c25e01", model: "SoundPoint IP 670", option_60: "Polycom-SPIP670", agents: &["", ""],
        boot: poly!("2345-12670-001"), own: "2345-12670-001.sip.ld", ..NONE },
    Trace { family: "poly-vvx", mac: "64167fc25e01", model: "VVX 500", boot: poly!("3111-44500-001"),
        agents: &["FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Application"], ..NONE },
    Trace { family: "poly-trio", mac: "64167fc25e02", model: "Trio 8800", boot: poly!("3111-65290-001"),
        agents: &["FileTransport PolycomRealPresenceTrio-Trio_8800-UA/5.9.5.3153 Type/Updater", "FileTransport PolycomRealPresenceTrio-Trio_8800-UA/5.9.5.3153 Type/Application"], ..NONE },
    Trace { family: "poly-edge-e", mac: "482567c25e01", model: "Edge E450", boot: "UA0 {mac}.cfg~ sip.ld~ UA1 {mac}.cfg~ {mac}-line.cfg~ {mac}-phone.cfg {mac}-web.cfg",
        agents: &["FileTransport PolyEdge-Edge_E450-UA/8.0.0.15602 Type/Updater", "FileTransport PolyEdge-Edge_E450-UA/8.0.0.15602 Type/Application"], ..NONE },
    Trace { family: "poly-ccx", mac: "64167fc25e03", model: "CCX 500", boot: poly!("3111-49710-001"),
        agents: &["FileTransport PolyCCX-CCX_500-UA/7.0.1.0508 (SN:{mac}) Type/Updater", "FileTransport PolyCCX-CCX_500-UA/7.0.1.0508 (SN:{mac}) Type/Application"], ..NONE },
    Trace { family: "yealink-desk", mac: "805ec0c25e01", model: "T46S", agents: &["Yealink SIP-T46S 66.86.0.160 80:5e:c0:c2:5e:01"],
        boot: "/{mac}.boot /y000000000000.boot /y000000000066.cfg /{mac}.cfg /{mac}-local.cfg /{mac}-contact.xml /{mac}-calllog.xml T46S-66.86.0.160.rom^",
        own: "T46S-66.86.0.160.rom", ..NONE },
    Trace { family: "yealink-desk", mac: "001565c25e02", model: "T28P", agents: &["yealink SIP-T28P 2.73.0.50 00:15:65:c2:5e:02"], boot: "/y000000000000.cfg /{mac}.cfg", ..NONE },
    Trace { family: "yealink-dect", mac: "805ec0c25e03", model: "W60B", agents: &["Yealink W60B 77.85.0.20 80:5e:c0:c2:5e:03"],
        boot: "/{mac}.boot /y000000000000.boot /y000000000077.cfg /{mac}.cfg", ..NONE },
    Trace { family: "panasonic-ut-hdv", mac: "0080f0c25e01", model: "KX-HDV130", option_60: "Panasonic", agents: &["Panasonic_KX-HDV130/01.133 ({mac})"],
        boot: "/KX-HDV130.cfg /ConfigCommon.cfg /Config{MAC}.cfg", ..NONE },
    Trace { family: "panasonic-tgp-dect", mac: "bcc342c25e02", model: "KX-TGP600", option_60: "Panasonic", agents: &["Panasonic_KX-TGP600/06.001 ({mac})"],
        boot: "/KX-TGP600.cfg /Config{MAC}.cfg", ..NONE },
    Trace { family: "algo", mac: "0022eec25e01", model: "8180", boot: "algop8180.conf algop8180.conf.md5 algom{MAC}.conf algom{MAC}.conf.md5", ..NONE },
    // Grandstream's guides: binary first (HT503) or XML first (GXP2130); a load is looked for at each boot.
    Trace { family: "grandstream-desk", mac: "c074adc25e01", model: "GXP2130", agents: &["Grandstream Model HW GXP2130 SW 1.0.11.48 DevId {mac}"],
        boot: "cfg{mac}.xml cfg{mac} cfggxp2130.xml cfg.xml gxp2130fw.bin", ..NONE },
    Trace { family: "grandstream-desk", mac: "000b82c25e02", model: "GXP1628", agents: &["Grandstream Model HW GXP1628 SW 1.0.4.138 DevId {mac}"],
        boot: "gxp1600fw.bin cfg{mac} cfg{mac}.xml", ..NONE },
    Trace { family: "grandstream-ht", mac: "c074adc25e03", model: "HT801", agents: &["Grandstream Model HW HT801 V1.1A SW 1.0.29.8 DevId {mac}"],
        boot: "ht801fw.bin cfg{mac} cfg{mac}.xml", ..NONE },
    Trace { family: "snom-desk", mac: "000413c25e01", model: "D785", option_60: "snomD785", agents: &["Mozilla/4.0 (compatible; snomD785-SIP 10.1.169.16 2010.12-00004 {MAC} SXM:0 UXM:0 UXMC:0)"],
        boot: "/snomD785.htm /snomD785-{MAC}.htm /{MAC}.xml /snom-general.xml /snomD785-firmware.htm", ..NONE },
    Trace { family: "snom-dect", mac: "000413c25e02", model: "M900", option_60: "snomM900", agents: &["Mozilla/4.0 (compatible; Snom M900 05.20.0001 {mac})"],
        boot: "/snomM900.htm /snomM900-{MAC}.htm /{MAC}.xml", ..NONE },
    Trace { family: "fanvil", mac: "0c383ec25e01", model: "X4", agents: &["Fanvil X4 2.10.2.6887 {mac}"], boot: "/f0X4hw1.100.cfg /{mac}.cfg", ..NONE },
    Trace { family: "fanvil", mac: "0c383ec25e02", model: "V67", agents: &["Fanvil V67 2.6.6.158 {mac}"], boot: "/F0V0V6700000.cfg /{mac}.cfg", ..NONE },
    Trace { family: "mitel-aastra-sip", mac: "00085dc25e01", model: "6867i", option_60: "AastraIPPhone6867i", agents: &["Aastra6867i MAC:00-08-5D-C2-5E-01 V:4.2.0.181-SIP"],
        boot: "security.tuz 6867i.st startup.tuz startup.cfg 6867i.tuz 6867i.cfg {MAC}.tuz {MAC}.cfg", ..NONE },
    Trace { family: "mitel-aastra-sip", mac: "00085dc25e02", model: "6731i", option_60: "AastraIPPhone6731i", agents: &["Aastra6731i MAC:00-08-5D-C2-5E-02 V:3.2.0.70-SIP"],
        boot: "security.tuz 6731i.st aastra.tuz aastra.cfg 6731i.tuz 6731i.cfg {MAC}.tuz {MAC}.cfg", ..NONE },
    Trace { family: "mitel-minet", mac: "08000fc25e01", model: "5330", option_60: "ipphone.mitel.com", boot: "MN_Generic.cfg MN_{MAC}.cfg", own: "MN_{MAC}.cfg", ..NONE },
    Trace { family: "gigaset-dect", mac: "7c2f80c25e01", model: "N510 IP PRO", option_60: "N510_IP_PRO", agents: &["N510 IP PRO/42.245.00.000.000;{MAC}"],
        boot: "/42/2/master.bin /42/2/baselines.bin /{MAC}.xml", ..NONE },
    Trace { family: "gigaset-dect", mac: "7c2f80c25e02", model: "N870 IP PRO", agents: &["Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;{MAC}"], boot: "/{mac}.xml", ..NONE },
    Trace { family: "htek", mac: "001fc1c25e01", model: "UC903", agents: &["Htek UC903 2.0.4.2 00:1f:c1:c2:5e:01"], boot: "/cfg0016.xml /cfg{mac} /cfg{mac}.xml", ..NONE },
    Trace { family: "sangoma", mac: "005058c25e01", model: "S500", boot: "/cfg{mac}.xml", ..NONE },
    Trace { family: "sangoma", mac: "005058c25e02", model: "A20", boot: "/f0A20hw1.100.cfg /{mac}.cfg", own: "{mac}.cfg", ..NONE },
    Trace { family: "audiocodes-400hd", mac: "00908fc25e01", model: "440HD", agents: &["AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; {MAC})"], boot: "/440HD.img /{mac}.cfg", ..NONE },
    // It asks after a pause of its own of up to 90 s.
    Trace { family: "obihai", mac: "9cadefc25e01", model: "OBi202", agents: &["OBIHAI/OBi202-3.2.2.5921"], boot: "+90 /{mac}.xml", ..NONE },
    Trace { family: "avaya-j100-96x1", mac: "c81feac25e01", model: "J179", agents: &["Mozilla/4.0 (compatible; MSIE 6.0) AVAYA/J179-4.1.3.0.6 (MAC:{mac})"],
        boot: "/J100Supgrade.txt /46xxsettings.txt /{mac}.txt", ..NONE },
    // No files of its own that anybody knows: it has its address and goes to its controller.
    Trace { family: "ubiquiti-uvp", mac: "f09fc2c25e01", model: "UVP", boot: "", ..NONE },
];

/// A phone that boots, and all that is fact about it.
struct Boots<'a> {
    trace: &'a Trace,
    mac: Mac,
    settings: Arc<Settings>,
    library: Arc<Library>,
    state: State,
    second: i64,
    news: News,
    wrong: Vec<String>,
}

impl Boots<'_> {
    fn at(&self) -> Timestamp {
        now() + jiff::SignedDuration::from_secs(self.second)
    }

    fn here(&self) -> Provisioner {
        let view = View::new(self.state.clone());
        Provisioner::new(Arc::clone(&self.settings), catalog(), Arc::clone(&self.library), view)
    }

    fn apply(&mut self, changes: Vec<Change>) {
        let number = self.state.commit + 1;
        self.state.apply(&Commit { number, changes });
    }

    fn happens(&mut self, what: What) {
        let event = Event { at: self.at(), what };
        self.apply(vec![Change::Happened(self.mac, event)]);
    }

    /// Some time passes; still nobody has anything to say.
    fn look(&mut self, seconds: i64, after: &str) -> Report {
        self.second += seconds;
        let report =
            self.here().report(self.mac, &self.state.phones[&self.mac], &self.state, self.at());
        let quiet = report.diagnosis.is_none() && report.findings.is_empty();
        if !quiet || report.stuck || report.looping || report.away {
            let (family, model) = (self.trace.family, self.trace.model);
            let cause = report.diagnosis.as_ref().map(|it| it.cause);
            let found = &report.findings;
            let flags = (report.stuck, report.looping, report.away);
            self.wrong.push(format!(
                "{family} {model} {} s, {after}: {cause:?} {found:?} {flags:?}",
                self.second
            ));
        }
        report
    }

    fn starts(&mut self) {
        self.happens(What::discovered(None));
        self.look(1, "discover");
        let (until, granted) = (Timestamp::MAX, Granted::Selected);
        self.happens(What::Leased { address: [10, 20, 0, 51].into(), until, granted });
        self.look(1, "lease");
    }

    /// One boot; `upgrades` in the one in which it takes a newer load.
    fn boot(&mut self, rounds: u32, upgrades: bool) {
        self.starts();
        let trust = self.trace.boot.replace("TRUST", TRUST);
        let mut agent = self.trace.agents[0];
        for word in trust.split_whitespace() {
            if let Some(number) = word.strip_prefix("UA") {
                agent = self.trace.agents[number.parse::<usize>().unwrap()];
            } else if let Some(seconds) = word.strip_prefix('+') {
                self.look(seconds.parse().unwrap(), word);
            } else if let Some(load) = word.strip_suffix('^') {
                if upgrades {
                    self.asks(load, agent, Some(Outcome::Complete));
                    self.look(40, word);
                }
            } else {
                let stops = word.ends_with('~') && rounds > 0;
                let aborted = Outcome::Aborted { text: String::new() };
                let outcome = if stops { aborted } else { Outcome::Complete };
                self.asks(word.trim_end_matches('~'), agent, Some(outcome));
            }
        }
    }

    /// It asks for a file and gets what there is.
    fn asks(&mut self, name: &str, agent: &str, outcome: Option<Outcome>) {
        let fill = |text: &str| {
            text.replace("{mac}", &self.mac.lower()).replace("{MAC}", &self.mac.upper())
        };
        let (name, agent) = (fill(name), fill(agent));
        let carrier = if agent.is_empty() { Carrier::Tftp } else { Carrier::Http };
        let seen = [Seen::UserAgent(&agent)];
        let seen = if agent.is_empty() { &[] } else { &seen[..] };
        let (peer, local) = ([10, 20, 0, 51].into(), [10, 20, 0, 2].into());
        let answer =
            self.here().open(&Request { name: &name, peer, local, carrier, seen }, self.at());
        let grounds = answer.as_ref().map_or_else(|no| &no.grounds, |yes| &yes.grounds);
        let known = self.state.phones[&self.mac].grounds.clone();
        let news = self.news.of(self.mac, grounds, known);
        self.apply(news.into_iter().map(|ground| Change::Showed(self.mac, ground)).collect());
        match answer {
            Ok(opened) => {
                let (asked, length) = (opened.asked, opened.length);
                self.happens(What::Opened { asked: asked.clone(), length });
                let outcome = outcome.unwrap_or(Outcome::Complete);
                let aborted = matches!(outcome, Outcome::Aborted { .. });
                let bytes = if aborted { length / 2 } else { length };
                let normal = opened.abort_is_normal && aborted;
                let (etag, source) = (opened.etag, opened.source);
                self.happens(What::Ended { asked, bytes, length, outcome, etag, normal, source });
            }
            Err(Refusal { why, asked, normal, .. }) => {
                self.missed(asked, &why.to_string(), normal);
            }
        }
        self.look(1, &name);
    }

    fn missed(&mut self, asked: Asked, why: &str, normal: bool) {
        assert!(!matches!(asked.role, Role::Own) || normal, "{}: {why}", asked.name);
        self.happens(What::Refused { asked, why: why.to_owned(), normal });
    }
}

/// The operator's directory: what a trace says that he has, some bytes each.
fn own(trace: &Trace, mac: Mac) -> (tempfile::TempDir, Library) {
    let root = tempfile::tempdir().unwrap();
    let (files, firmware) = (root.path().join("files"), root.path().join("firmware"));
    for directory in [&files, &firmware] {
        std::fs::create_dir(directory).unwrap();
    }
    for name in trace.own.split_whitespace() {
        let name = name.replace("{mac}", &mac.lower()).replace("{MAC}", &mac.upper());
        let load = [".loads", ".sbn", ".sb2", ".ld", ".rom"].iter().any(|end| name.ends_with(end));
        let place: &Path = if load { &firmware } else { &files };
        std::fs::write(place.join(name), [b'x'; 700]).unwrap();
    }
    let (library, problems) = Library::load(&files, &firmware);
    assert!(problems.is_empty(), "{problems:?}");
    (root, library)
}

fn boots(trace: &Trace) -> Vec<String> {
    let mac: Mac = trace.mac.parse().unwrap();
    let mut settings = serving();
    let paris = settings.sites.get_mut("paris").unwrap();
    paris.protocol = if trace.sccp { Protocol::Sccp } else { Protocol::Sip };
    let (_root, library) = own(trace, mac);
    let (settings, library) = (Arc::new(settings), Arc::new(library));
    let Change::Listed(_, mut entry) = listed(trace.mac, trace.model, "4012") else {
        return Vec::new();
    };
    entry.site = Some("paris".to_owned());
    let mut facts = vec![Change::Listed(mac, entry)];
    let Change::Leased(mut lease) = leased(trace.mac, 51) else { return Vec::new() };
    lease.until = Timestamp::MAX;
    facts.push(Change::Leased(lease));
    let class = catalog().recognize(&Seen::Option60(trace.option_60.as_bytes()), now());
    facts.extend(class.map(|ground| Change::Showed(mac, ground)));
    let state = State::default();
    let mut phone = Boots {
        trace,
        mac,
        settings,
        library,
        state,
        second: 0,
        news: News::default(),
        wrong: Vec::new(),
    };
    phone.apply(facts);
    let files = !trace.boot.is_empty();
    phone.boot(0, false);
    phone.look(61, "the first boot");
    phone.second += 600;
    phone.boot(1, true);
    // It writes its flash, restarts of itself, and is up.
    phone.look(100, "the upgrade");
    phone.boot(2, false);
    phone.boot(3, false);
    let report = phone.look(61, "all boots");
    phone.look(3600, "an hour");
    if report.ready != files {
        phone.wrong.push(format!("{} {}: ready {}", trace.family, trace.model, report.ready));
    }
    if report.identity.family.as_ref().is_some_and(|family| family.as_str() != trace.family) {
        phone.wrong.push(format!("{} {}: {:?}", trace.family, trace.model, report.identity.family));
    }
    phone.wrong
}

#[test]
fn what_phones_ask_is_no_fault() {
    let wrong: Vec<String> = TRACES.iter().flat_map(boots).collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_family_with_files_has_a_trace() {
    let traced: BTreeSet<_> = TRACES.iter().map(|trace| trace.family).collect();
    let catalog = catalog();
    let provisioned = catalog.families().filter(|family| family.provisions);
    let missing: Vec<_> = provisioned
        .map(|family| family.name.as_str())
        .filter(|name| !traced.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(traced.len() >= 32, "{}", traced.len());
}
