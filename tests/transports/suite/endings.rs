//! What ends, and who learns of it.

use std::time::Duration;

use futures::poll;
use handover_sample_service::{Note, NotebookClient};

use super::until_busy;

pub(crate) async fn a_call_that_is_dropped_ends_at_the_service(notebook: NotebookClient) {
    let mut pondering = notebook.ponder();
    assert!(poll!(&mut pondering).is_pending());
    until_busy(&notebook, 1).await.unwrap();

    drop(pondering);

    until_busy(&notebook, 0).await.unwrap();
}

pub(crate) async fn a_capability_that_is_dropped_ends_at_the_service(notebook: NotebookClient) {
    notebook.add(Note::default()).await.unwrap();
    let page = notebook.page(0).await.unwrap();
    until_busy(&notebook, 1).await.unwrap();

    drop(page);

    until_busy(&notebook, 0).await.unwrap();
}

pub(crate) async fn a_call_whose_time_is_up_ends_at_both_ends(notebook: NotebookClient) {
    let ended = notebook.ponder().deadline(Duration::from_millis(1)).await;

    assert!(ended.unwrap_err().is_deadline());
    until_busy(&notebook, 0).await.unwrap();
}

pub(crate) async fn what_was_sent_before_its_client_was_dropped_is_done(notebook: NotebookClient) {
    let another = notebook.clone();
    another.jot("Tell".into()).await.unwrap();
    drop(another);

    while notebook.note(0).await.unwrap().is_none() {}
    assert_eq!(notebook.note(0).await, Ok(Some(Note::titled("Tell"))));
}
