//! The whole binary, against third-party programs and against itself.

mod http;
mod page;
