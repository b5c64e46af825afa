//! The journal's form of events: those of every boot in few octets, the rest as among the rows.

use crate::{
    domain::{Asked, Carrier, Event, Granted, Outcome, Required, Role, What},
    store::encode::As,
};

use super::{BadValue, Reading, Writing, unknown};

/// What the octet in front of an event says. For ever.
mod tag {
    /// In the form of a row, the time included.
    pub(super) const ROW: u8 = 0;
    pub(super) const DISCOVERED: u8 = 1;
    pub(super) const OFFERED: u8 = 2;
    pub(super) const LEASED: u8 = 3;
    pub(super) const OPENED: u8 = 4;
    pub(super) const PROGRESS: u8 = 5;
    pub(super) const ENDED: u8 = 6;
    pub(super) const UNCHANGED: u8 = 7;
    pub(super) const REFUSED: u8 = 8;
}

pub(super) fn write(event: &Event, to: &mut Writing<'_>) -> Result<(), BadValue> {
    let mut begin = |tag| {
        to.octet(tag);
        to.moment(event.at);
    };
    match &event.what {
        What::Discovered { relay, port, shows } => {
            begin(tag::DISCOVERED);
            to.maybe(*relay, Writing::address);
            to.text(port);
            to.text(shows);
        }
        What::Offered { address } => {
            begin(tag::OFFERED);
            to.address(*address);
        }
        What::Leased { address, until, granted } => {
            begin(tag::LEASED);
            to.address(*address);
            to.moment(*until);
            to.octet(match granted {
                Granted::Selected => 0,
                Granted::Rebooted => 1,
                Granted::Renewed => 2,
                Granted::Rebound => 3,
            });
        }
        What::Opened { asked, length } => {
            begin(tag::OPENED);
            write_asked(asked, to);
            to.number(*length);
        }
        What::Progress { name, bytes, length } => {
            begin(tag::PROGRESS);
            to.text(name);
            to.number(*bytes);
            to.number(*length);
        }
        What::Ended { asked, bytes, length, outcome, etag, normal, source } => {
            begin(tag::ENDED);
            write_asked(asked, to);
            to.number(*bytes);
            to.number(*length);
            write_outcome(outcome, to);
            to.text(etag);
            to.octet((*normal).into());
            to.text(source);
        }
        What::Unchanged { asked, etag } => {
            begin(tag::UNCHANGED);
            write_asked(asked, to);
            to.text(etag);
        }
        What::Refused { asked, why, normal } => {
            begin(tag::REFUSED);
            write_asked(asked, to);
            to.text(why);
            to.octet((*normal).into());
        }
        What::Requested { .. }
        | What::Told { .. }
        | What::Rivalled { .. }
        | What::Mistaken { .. }
        | What::Nak { .. }
        | What::Unserved(_)
        | What::Declined { .. }
        | What::Released { .. }
        | What::Informed { .. }
        | What::Appeared { .. }
        | What::Admitted { .. }
        | What::Registration { .. }
        | What::Recalled { .. } => {
            to.octet(tag::ROW);
            to.row(&As(event))?;
        }
    }
    Ok(())
}

pub(super) fn read(from: &mut Reading<'_>) -> Result<Event, BadValue> {
    let tag = from.octet()?;
    if tag == tag::ROW {
        return Ok(from.row::<As<Event>>()?.0);
    }
    let at = from.moment()?;
    let what = match tag {
        tag::DISCOVERED => What::Discovered {
            relay: from.maybe(Reading::address)?,
            port: from.text()?,
            shows: from.text()?,
        },
        tag::OFFERED => What::Offered { address: from.address()? },
        tag::LEASED => What::Leased {
            address: from.address()?,
            until: from.moment()?,
            granted: match from.octet()? {
                0 => Granted::Selected,
                1 => Granted::Rebooted,
                2 => Granted::Renewed,
                3 => Granted::Rebound,
                _ => return Err(unknown()),
            },
        },
        tag::OPENED => What::Opened { asked: read_asked(from)?, length: from.number()? },
        tag::PROGRESS => {
            What::Progress { name: from.text()?, bytes: from.number()?, length: from.number()? }
        }
        tag::ENDED => What::Ended {
            asked: read_asked(from)?,
            bytes: from.number()?,
            length: from.number()?,
            outcome: read_outcome(from)?,
            etag: from.text()?,
            normal: from.flag()?,
            source: from.text()?,
        },
        tag::UNCHANGED => What::Unchanged { asked: read_asked(from)?, etag: from.text()? },
        tag::REFUSED => {
            What::Refused { asked: read_asked(from)?, why: from.text()?, normal: from.flag()? }
        }
        _ => return Err(unknown()),
    };
    Ok(Event { at, what })
}

fn write_asked(asked: &Asked, to: &mut Writing<'_>) {
    to.text(&asked.name);
    to.octet(match asked.carrier {
        Carrier::Tftp => 0,
        Carrier::Http => 1,
    });
    to.octet(match asked.role {
        Role::Own => 0,
        Role::Common => 1,
        Role::Fallback => 2,
        Role::Trust => 3,
        Role::Firmware => 4,
        Role::Extra => 5,
    });
    to.maybe(asked.required, |to, required| {
        to.octet(required.slot);
        to.octet(required.of);
    });
    to.octet(asked.first.into());
}

fn read_asked(from: &mut Reading<'_>) -> Result<Asked, BadValue> {
    Ok(Asked {
        name: from.text()?,
        carrier: match from.octet()? {
            0 => Carrier::Tftp,
            1 => Carrier::Http,
            _ => return Err(unknown()),
        },
        role: match from.octet()? {
            0 => Role::Own,
            1 => Role::Common,
            2 => Role::Fallback,
            3 => Role::Trust,
            4 => Role::Firmware,
            5 => Role::Extra,
            _ => return Err(unknown()),
        },
        required: from.maybe(|from| Ok(Required { slot: from.octet()?, of: from.octet()? }))?,
        first: from.flag()?,
    })
}

fn write_outcome(outcome: &Outcome, to: &mut Writing<'_>) {
    match outcome {
        Outcome::Complete => to.octet(0),
        Outcome::TimedOut => to.octet(1),
        Outcome::Aborted { text } => {
            to.octet(2);
            to.text(text);
        }
        Outcome::Failed { text } => {
            to.octet(3);
            to.text(text);
        }
    }
}

fn read_outcome(from: &mut Reading<'_>) -> Result<Outcome, BadValue> {
    Ok(match from.octet()? {
        0 => Outcome::Complete,
        1 => Outcome::TimedOut,
        2 => Outcome::Aborted { text: from.text()? },
        3 => Outcome::Failed { text: from.text()? },
        _ => return Err(unknown()),
    })
}
