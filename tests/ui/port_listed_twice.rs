// SER-02: a port is in a message once.
use handover::{Message, MessagePort};

fn post(to: &MessagePort, port: MessagePort) {
    let message = Message::new("two of one").with_port(port).with_port(port);
    let _ = to.post_message(message);
}

fn main() {}
