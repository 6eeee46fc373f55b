//! The demo: a contacts page, a social page and a game, each of an origin and in an instance of its own, and a stage that embeds them and
//! shows what goes on between them.
//!
//! Who is who: [`contacts`] has the book and decides who may do what with it ([`provider`]), here or in a [`worker`]; [`social`] may manage
//! the book, and hands a right to a game; [`game`] has that right and nothing else. What they say to each other is in [`services`].
//!
//! The [`stage`] takes no part in it. It cues the actors, and draws what they [`report`](mod@report): interceptors of clients and the audit
//! of the provider, so nothing is drawn that did not happen.

// In a browser only.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

pub mod contacts;
mod door;
pub mod game;
mod page;
mod provider;
mod report;
mod services;
pub mod social;
pub mod stage;
pub mod worker;
