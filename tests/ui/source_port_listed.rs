// PORT-22: a port cannot be in a message that is posted on it.
use handover::{Message, MessagePort};

fn post(port: MessagePort) {
    let _ = port.post_message(Message::new("take me along").with_port(port));
}

fn main() {}
