//! What ends, and who learns of it.

use std::time::Duration;

use futures::poll;
use handover_sample_service::{Note, NotebookClient};

use super::{until, until_busy};

pub(crate) async fn a_call_that_is_dropped_ends_at_the_service(notebook: NotebookClient) {
    let mut pondering = notebook.ponder();
    assert!(poll!(&mut pondering).is_pending());
    until_busy(&notebook, 1).await;

    drop(pondering);

    until_busy(&notebook, 0).await;
}

pub(crate) async fn a_capability_that_is_dropped_ends_at_the_service(notebook: NotebookClient) {
    notebook.add(Note::default()).await.unwrap();
    let page = notebook.page(0).await.unwrap();
    until_busy(&notebook, 1).await;

    drop(page);

    until_busy(&notebook, 0).await;
}

pub(crate) async fn a_call_whose_time_is_up_ends_at_both_ends(notebook: NotebookClient) {
    let ended = notebook.ponder().deadline(Duration::from_millis(1)).await;

    assert!(ended.unwrap_err().is_deadline());
    until_busy(&notebook, 0).await;
}

pub(crate) async fn what_was_sent_before_its_client_was_dropped_is_done(notebook: NotebookClient) {
    let another = notebook.clone();
    another.jot("Tell".into()).await.unwrap();
    drop(another);

    until(async || Ok(notebook.note(0).await?.is_some())).await;
    assert_eq!(notebook.note(0).await, Ok(Some(Note::titled("Tell"))));
}
