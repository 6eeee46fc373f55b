//! Clients that travel.

use handover::in_process;
use handover_sample_service::{self as sample, Named, Note, NotebookClient, PageClient};

use super::until_busy;

/// A notebook of the caller's own, in the context of the test.
fn at_home() -> NotebookClient {
    in_process::spawn(sample::serve)
}

async fn first_page(notebook: &NotebookClient, title: &str) -> PageClient {
    notebook.add(Note::titled(title)).await.unwrap();
    notebook.page(0).await.unwrap().unwrap()
}

pub(crate) async fn a_capability_that_is_returned_can_be_called_and_is_the_thing_itself(notebook: NotebookClient) {
    let page = first_page(&notebook, "Tell").await;

    page.write("an apple".into()).await.unwrap();

    let written = Note { title: "Tell".into(), lines: vec!["an apple".into()] };
    assert_eq!(page.read().await.as_ref(), Ok(&written));
    assert_eq!(notebook.note(0).await, Ok(Some(written)));
    assert!(notebook.page(1).await.unwrap().is_none());
}

pub(crate) async fn a_capability_of_the_caller_s_is_called_back(notebook: NotebookClient) {
    let home = at_home();
    for title in ["one", "two", "three"] {
        home.jot(title.into()).await.unwrap();
    }

    assert_eq!(notebook.copy(home).await, Ok(3));
    assert_eq!(notebook.note(2).await, Ok(Some(Note::titled("three"))));
}

pub(crate) async fn capabilities_inside_values_go_home_and_each_is_the_right_one(notebook: NotebookClient) {
    let home = at_home();
    let named = async |name: &str, of: &NotebookClient| Named { name: name.into(), page: first_page(of, name).await };
    let pages = vec![named("theirs", &notebook).await, named("ours", &home).await];

    let read = notebook.read_out(pages).await.unwrap();

    assert_eq!(read, ["theirs: theirs", "ours: ours"]);
}

pub(crate) async fn a_single_use_is_over_with_its_answer(notebook: NotebookClient) {
    let page = first_page(&notebook, "Tell").await;
    let another = notebook.page(0).await.unwrap().unwrap();

    // That it cannot be used again is for the compiler to say.
    assert_eq!(page.tear_out().await, Ok(Note::titled("Tell")));

    assert_eq!(notebook.note(0).await, Ok(None));
    assert_eq!(another.read().await, Ok(Note::default()), "it is empty, and has its own right still");
    until_busy(&notebook, 1).await;
}

pub(crate) async fn a_clone_leads_to_the_same_service(notebook: NotebookClient) {
    let another = notebook.clone();
    another.add(Note::titled("Tell")).await.unwrap();
    drop(another);

    assert_eq!(notebook.note(0).await, Ok(Some(Note::titled("Tell"))));
}
