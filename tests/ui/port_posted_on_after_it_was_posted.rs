// PORT-26, PORT-51: a port that was handed over can send nothing from its old place.
use handover::{Message, MessagePort};

fn post(to: &MessagePort, port: MessagePort) {
    let _ = to.post_message(Message::new("yours").with_port(port));
    let _ = port.post_message("still mine?");
}

fn main() {}
