//! Bytes that are lent, and not copied where the transport can help it.

use handover::Buffer;
use handover_sample_service::NotebookClient;

pub(crate) async fn a_megabyte_goes_there_and_back(notebook: NotebookClient) {
    let picture: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();

    let turned = notebook.turn(Buffer::from(picture.clone())).await.unwrap().into_vec();

    assert!(turned.into_iter().rev().eq(picture));
}

pub(crate) async fn an_empty_buffer_goes_there_and_back(notebook: NotebookClient) {
    let turned = notebook.turn(Buffer::from(Vec::new())).await.unwrap();

    assert!(turned.into_vec().is_empty());
}
