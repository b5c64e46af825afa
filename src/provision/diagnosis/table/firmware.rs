//! Causes about loads.

use super::{super::firmware, Cause, Next};

/// A load that is missing, or taken in vain.
pub(super) const CERTAIN: &[Cause] = &[
    Cause {
        name: "firmware-again-after-each-boot",
        row: 14,
        certain: true,
        fits: firmware::again,
        text: "it took {file} whole in {times} boots in a row and still does not run it",
        remedy: "{remedy}",
        next: Next::Says("a boot without {file}"),
    },
    Cause {
        name: "firmware-missing",
        row: 13,
        certain: true,
        fits: firmware::missing,
        text: "it wants {file}, which is not here",
        remedy: "{remedy}",
        next: Next::File,
    },
];

/// A load that stands still, or is not run.
pub(super) const GUESSES: &[Cause] = &[
    Cause {
        name: "upgrade-stalled",
        row: 13,
        certain: false,
        fits: firmware::stalled,
        text: "{file} stands at {bytes} of {length} bytes",
        remedy: "leave it its power; if nothing moves, restart it and look for loss between phone and server",
        next: Next::Says("more of {file}"),
    },
    Cause {
        name: "no-restart-after-its-load",
        row: 16,
        certain: false,
        fits: firmware::no_restart,
        text: "it has {file} whole since {minutes} min and has not restarted",
        remedy: "wait until its display says that nothing is written any more, then restart it: a reset by its call \
                 manager or NOTIFY may have been refused",
        next: Next::Says("a restart"),
    },
    Cause {
        name: "keeps-another-load",
        row: 14,
        certain: false,
        fits: firmware::keeps_another,
        text: "it runs {running}, its site wants {wanted}, and it does not fetch it",
        remedy: "see that {wanted} is for this very model, and restart it; {advice}",
        next: Next::Says("a request for {wanted}"),
    },
];
