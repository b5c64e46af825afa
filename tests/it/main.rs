//! The whole of ringup, from outside.

mod profile;
