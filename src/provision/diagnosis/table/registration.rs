//! Causes about registrations.

use super::{super::registration, Cause, Next, REGISTER};

/// What registrars, call managers and PBXs say themselves.
pub(super) const CERTAIN: &[Cause] = &[
    Cause {
        name: "registration-forbidden",
        row: 19,
        certain: true,
        fits: registration::forbidden,
        text: "{by} forbids it to register{words}",
        remedy: "compare SIP user and password with those of the PBX, correct its entry with \
                 `ringup phones set {mac} sip-password=NEW` and restart it",
        next: REGISTER,
    },
    Cause {
        name: "credentials-refused",
        row: 18,
        certain: true,
        fits: registration::challenged,
        text: "it shows {by} its credentials and is challenged again{words}",
        remedy: "compare user, password and realm with those of the PBX; see that the clocks of both agree",
        next: REGISTER,
    },
    Cause {
        name: "load-newer-than-its-call-manager",
        row: 15,
        certain: true,
        fits: registration::version,
        text: "{by} refuses it for its version{words}: its load is newer than the call manager",
        remedy: "name a load that this call manager knows in [site.{site}.firmware] and reset the phone: it never goes \
                 back by itself",
        next: Next::Says("an older load"),
    },
    Cause {
        name: "registration-rejected-as-insecure",
        row: 8,
        certain: true,
        fits: registration::insecure,
        text: "{by} refuses it for its security settings{words}: it has a trust list of another cluster, or none",
        remedy: "{trust}",
        next: REGISTER,
    },
    Cause {
        name: "registration-rejected",
        row: 20,
        certain: true,
        fits: registration::unknown,
        text: "{by} does not know it, or has no number left for it{words}",
        remedy: "add it there as {model}, with the protocol that it speaks, or widen the range of numbers there",
        next: REGISTER,
    },
    Cause {
        name: "registration-toggles",
        row: 24,
        certain: true,
        fits: registration::toggles,
        text: "it registers at {one}, then at {other}, and so on: {times} times in {minutes} min",
        remedy: "look for a network that comes and goes and at the site's `failover`; both servers must know the phone",
        next: Next::Says("a registration that stays at {one}"),
    },
    Cause {
        name: "registration-lapses-under-srtp",
        row: 22,
        certain: true,
        fits: registration::lapses_under_srtp,
        text: "it lost its registration at {by} {times} times within an hour, with SRTP on{words}",
        remedy: "set TCP time-out and TCP close-wait of the firewall to 660 s; give the phones' VLAN, not the data \
                 network, the provider's resolvers (8x8: 8.28.0.9, 192.84.18.11) and no public ones; Poly: firmware \
                 5.9.4.3247 or later; if nothing helps, srtp = \"off\" for all phones",
        next: REGISTER,
    },
    Cause {
        name: "registration-lapses",
        row: 21,
        certain: true,
        fits: registration::lapses,
        text: "it lost its registration at {by} {times} times within an hour{words}",
        remedy: "see that the server's OPTIONS (every 30 s) reach it and are answered; set TCP time-out and TCP \
                 close-wait of the firewall to 660 s",
        next: REGISTER,
    },
];

/// What the lack of an answer says.
pub(super) const GUESSES: &[Cause] = &[
    Cause {
        name: "registers-without-an-answer",
        row: 17,
        certain: false,
        fits: registration::unanswered,
        text: "it asked {by} {times} times to register and keeps no answer",
        remedy: "the answer (401 or 407) does not reach it: open the firewall for answers to the port that it asked \
                 from, and turn off SIP helpers (ALG)",
        next: REGISTER,
    },
    Cause {
        name: "registers-at-another-server",
        row: 25,
        certain: false,
        fits: registration::elsewhere,
        text: "it tries to register at {by}, which is not among the servers of its site",
        remedy: "correct `server` of [site.{site}], the live one first, and restart it; or clear what was set by hand",
        next: Next::Says("a REGISTER to {server}"),
    },
    Cause {
        name: "configured-but-never-registers",
        row: 17,
        certain: false,
        fits: registration::never,
        text: "it has its configuration and was never seen to register",
        remedy: "check the site's servers and ports, and that the phone reaches them; if the PBX has it, let it tell \
                 ringup (POST /api/v1/phones/{mac}/registered)",
        next: Next::Says("a REGISTER to {server}"),
    },
];
