//! What must not compile, and what is said about it: `tests/ui/<the_mistake>.rs`, each with the message beside it.
//!
//! One mistake gives one message, at the user's token, which says what to write instead. After a change to the messages,
//! `TRYBUILD=overwrite cargo test --test compile_fail` writes them anew; then read them.
#![cfg(not(target_family = "wasm"))]

#[test]
fn each_mistake_gets_one_message_that_says_what_to_write_instead() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
