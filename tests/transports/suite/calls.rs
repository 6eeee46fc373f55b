//! Values, errors, order.

use futures::future::join_all;
use handover::RpcError;
use handover_sample_service::{LINES, Note, NotebookClient, TooLong};

pub(crate) async fn a_value_goes_there_and_what_the_method_returns_comes_back(notebook: NotebookClient) {
    let note = Note { title: "Tell".into(), lines: vec!["an apple".into(), "größer als…".into(), String::new()] };

    assert_eq!(notebook.add(note.clone()).await, Ok(0));
    assert_eq!(notebook.note(0).await, Ok(Some(note)));
    assert_eq!(notebook.note(1).await, Ok(None));
}

pub(crate) async fn an_error_of_the_service_s_own_comes_back_as_it_is(notebook: NotebookClient) {
    let long = Note { title: "War and Peace".into(), lines: vec![String::new(); LINES as usize + 1] };

    assert_eq!(notebook.add(long).await, Err(RpcError::Service(TooLong { lines: LINES })));
    assert_eq!(notebook.note(0).await, Ok(None));
}

pub(crate) async fn a_one_way_call_runs_before_the_calls_that_were_made_after_it(notebook: NotebookClient) {
    for number in 0..20 {
        notebook.jot(number.to_string()).await.unwrap();
    }

    assert_eq!(notebook.add(Note::default()).await, Ok(20));
    assert_eq!(notebook.note(19).await, Ok(Some(Note::titled("19"))));
}

pub(crate) async fn a_hundred_calls_at_once_are_each_answered_with_their_own_answer(notebook: NotebookClient) {
    for number in 0..100 {
        notebook.jot(number.to_string()).await.unwrap();
    }

    let notes = join_all((0..100).map(|number| notebook.note(number))).await;

    let titles = notes.into_iter().map(|note| note.unwrap().unwrap().title);
    assert!(titles.eq((0..100).map(|number| number.to_string())));
}
