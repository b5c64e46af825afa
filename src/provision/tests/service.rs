//! The service with a real store: admissions and records that are fact.
