// SER-02: what cannot be transferred is not listed.
use handover::{Message, MessagePort};

fn post(to: &MessagePort) {
    let _ = to.post_message(Message::new("bytes").with_port(vec![1, 2, 3]));
}

fn main() {}
