//! Barcodes and QR codes as SVG, drawn with attributes alone: a policy without inline styles shows them.

use std::fmt::Write as _;

use barcoders::sym::code128::Code128;
use maud::{Markup, html};
use qrcode::{Color, QrCode};

/// Width of the thinnest bar, in units of the drawing; printed at its own size that is a third of a millimetre.
const MODULE: usize = 2;

/// The blank that a reader needs on each side: ten of the thinnest bars (ISO/IEC 15417 §4.2).
const QUIET: usize = 10;

const HEIGHT: usize = 80;

/// What switches to the character set with capitals and small letters (Code 128 B), as the crate spells it.
const SET_B: char = 'Ɓ';

/// A text as Code 128; nothing where it has characters that the code lacks.
pub fn bars(text: &str) -> Markup {
    let modules = Code128::new(format!("{SET_B}{text}")).map(|code| code.encode());
    let Ok(modules) = modules else { return html! {} };
    let width = (modules.len() + 2 * QUIET) * MODULE;
    let mut path = String::new();
    for (at, _) in modules.iter().enumerate().filter(|(_, module)| **module == 1) {
        // Writing to a string can't fail.
        let _ = write!(path, "M{} 0h{MODULE}v{HEIGHT}h-{MODULE}z", (at + QUIET) * MODULE);
    }
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(HEIGHT)
            viewBox=(format!("0 0 {width} {HEIGHT}")) role="img" aria-label=(text) shape-rendering="crispEdges" {
            rect width="100%" height="100%" fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

/// A text as a QR code with the four blank modules around it that ISO/IEC 18004 asks for; nothing where it is too long.
pub fn qr(text: &str) -> Markup {
    let Ok(code) = QrCode::new(text.as_bytes()) else { return html! {} };
    let side = code.width();
    let mut path = String::new();
    for (at, _) in code.to_colors().iter().enumerate().filter(|(_, one)| **one == Color::Dark) {
        let _ = write!(path, "M{} {}h1v1h-1z", at % side + 4, at / side + 4);
    }
    let all = side + 8;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width="80" height="80" viewBox=(format!("0 0 {all} {all}"))
            role="img" aria-label=(text) shape-rendering="crispEdges" {
            rect width="100%" height="100%" fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_whole_and_without_styles() {
        let drawn = bars("RINGUP UNDO").into_string();
        // Start, eleven characters, checksum of 11 modules each, and a stop of 13 (ISO/IEC 15417 §4.2).
        let modules = 11 * 13 + 13;
        assert!(
            drawn.contains(&format!("width=\"{}\"", (modules + 2 * QUIET) * MODULE)),
            "{drawn}"
        );
        assert!(!drawn.contains("style"));
        assert_eq!(bars("é").into_string(), "");
        let drawn = qr("00:04:f2:aa:bb:01").into_string();
        assert!(
            drawn.contains("viewBox=\"0 0 33 33\"") || drawn.contains("viewBox=\"0 0 29 29\""),
            "{drawn}"
        );
        assert_eq!(qr(&"x".repeat(5000)).into_string(), "");
    }
}
