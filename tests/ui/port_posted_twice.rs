// PORT-51, PORT-58: a port that was handed over cannot be handed over again.
use handover::{Message, MessagePort};

fn post(to: &MessagePort, port: MessagePort) {
    let _ = to.post_message(Message::new("yours").with_port(port));
    let _ = to.post_message(Message::new("and yours").with_port(port));
}

fn main() {}
