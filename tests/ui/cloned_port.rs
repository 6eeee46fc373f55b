// PORT-51: whoever hands a port over has no other to go on with.
use handover::{Message, MessagePort};

fn post(to: &MessagePort, port: MessagePort) {
    let _ = to.post_message(Message::new("yours").with_port(Clone::clone(&port)));
}

fn main() {}
