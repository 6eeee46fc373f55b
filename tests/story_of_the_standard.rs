//! The example with the provider, the social site and the game, as a test.
#![cfg(not(target_family = "wasm"))]

#[path = "../examples/one_contact.rs"]
#[allow(dead_code, reason = "the example's own `main`")]
mod one_contact;

/// C29
#[test]
fn the_game_adds_one_contact_and_no_second_and_neither_the_end_of_the_social_site_nor_the_move_is_noticed() {
    let told = one_contact::story().unwrap();

    let refusal = "the call was refused: as many calls were made as the right to call allows";
    assert_eq!(
        told,
        [
            "the social site knows 0 contacts; it gave the game the power to add one, and left",
            "the provider moved into a shared worker",
            "the game added Tell at the shared worker",
            &format!("it did not add Gessler: {refusal}"),
            "of that the social site saw 0 calls; its own were 2",
            "in the book: Tell",
        ]
    );
}
