//! Streams, there and back.

use futures::{StreamExt, stream};
use handover_sample_service::{Note, NotebookClient};

use super::until_busy;

/// More than the window of a stream.
const MANY: u32 = 3000;

fn many() -> impl Iterator<Item = Note> {
    (0..MANY).map(|number| Note::titled(number.to_string()))
}

pub(crate) async fn a_stream_brings_every_item_in_order_and_then_its_end(notebook: NotebookClient) {
    notebook.add_all(stream::iter(many())).await.unwrap();

    let mut notes = notebook.notes().await.unwrap();

    for expected in many() {
        assert_eq!(notes.next().await, Some(Ok(expected)));
    }
    assert_eq!(notes.next().await, None);
}

pub(crate) async fn a_stream_in_the_arguments_brings_every_item_in_order(notebook: NotebookClient) {
    assert_eq!(notebook.add_all(stream::iter(many())).await, Ok(MANY));

    let notes = notebook.notes().await.unwrap().map(Result::unwrap);
    assert_eq!(notes.collect::<Vec<_>>().await, Vec::from_iter(many()));
}

pub(crate) async fn a_stream_without_an_end_runs_as_far_as_it_is_read_and_ends_when_it_is_dropped(
    notebook: NotebookClient,
) {
    let mut notes = notebook.scribble().await.unwrap();
    for number in 0..MANY {
        assert_eq!(notes.next().await, Some(Ok(Note::titled(number.to_string()))));
    }
    assert_eq!(notebook.busy().await, Ok(1));

    drop(notes);

    until_busy(&notebook, 0).await;
}
