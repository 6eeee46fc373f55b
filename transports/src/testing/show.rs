//! Messages in words.

use std::collections::BTreeMap;

use handover_core::{
    stream::frame::StreamFrame,
    wire::{CallId, Fault, Frame, MethodId, Options, Role},
};

use super::{Direction, Fate, Recorded};

/// How many bytes of a message that is no frame are shown.
const HEX_LIMIT: usize = 16;

/// The names of methods, by their ids.
type Names = BTreeMap<u32, String>;

/// One message on one line.
pub(super) fn message(message: &Recorded, methods: &Names) -> String {
    let Recorded { port, direction, data, ports, buffers, fate } = message;
    let mut line = format!("{port} {} {}", arrow(*direction), body(data, methods));
    match &ports[..] {
        [] => {}
        [port] => line += &format!(", with port {port}"),
        ports => line += &format!(", with ports {}", join(ports)),
    }
    for size in buffers {
        line += &format!(", with a buffer of {}", bytes(*size));
    }
    line + match fate {
        Fate::Passed => "",
        Fate::Dropped => ", dropped",
        Fate::Corrupted => ", corrupted",
        Fate::Copy => ", copy",
    }
}

pub(super) fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::There => "->",
        Direction::Back => "<-",
    }
}

fn body(data: &[u8], methods: &Names) -> String {
    match Frame::parse(data) {
        Ok(frame) => frame_in_words(&frame, methods),
        Err(_) => match StreamFrame::parse(data) {
            Ok(frame) => stream_frame_in_words(&frame),
            Err(_) => no_frame(data),
        },
    }
}

fn stream_frame_in_words(frame: &StreamFrame<'_>) -> String {
    match frame {
        StreamFrame::Items { items, .. } => format!("items, {}", bytes(items.len())),
        StreamFrame::End => "end".to_owned(),
        StreamFrame::Failed { fault } => format!("failed, {}", why(fault)),
        StreamFrame::Credit { grant } => format!("credit, {} items, {} bytes", grant.items, grant.bytes),
        StreamFrame::Stop => "stop".to_owned(),
        other => format!("{other:?}"),
    }
}

fn frame_in_words(frame: &Frame<'_>, methods: &Names) -> String {
    match frame {
        Frame::Call { id, method, options, args } => {
            format!("call {} {}, {}{}", call(*id), name(*method, methods), bytes(args.len()), said_beside(options))
        }
        Frame::Tell { method, options, args } => {
            format!("tell {}, {}{}", name(*method, methods), bytes(args.len()), said_beside(options))
        }
        Frame::Pipelined { method, options, args } => {
            format!("pipelined call {}, {}{}", name(*method, methods), bytes(args.len()), said_beside(options))
        }
        Frame::Reply { id, result } => format!("reply {}, {}", call(*id), bytes(result.len())),
        Frame::Fault { id, fault } => format!("fault {}, {}", call(*id), why(fault)),
        Frame::Cancel { id } => format!("cancel {}", call(*id)),
        Frame::Hello { window } => format!("hello, {} calls, {} bytes", window.calls, window.bytes),
        Frame::Credit { tells } => format!("credit, {tells} tells"),
        Frame::Goodbye { from: Role::Caller } => "goodbye, from the caller".to_owned(),
        Frame::Goodbye { from: Role::Service } => "goodbye, from the service".to_owned(),
        Frame::Farewell { fault } => format!("farewell, {}", why(fault)),
        Frame::Shape { method, .. } => format!("shape of {}", name(*method, methods)),
        other => format!("{other:?}"),
    }
}

/// A call's number, without how often its client was handed on: that stands before it.
fn call(CallId(id): CallId) -> String {
    match (id >> 32, id & u64::from(u32::MAX)) {
        (0, number) => number.to_string(),
        (times, number) => format!("{times}/{number}"),
    }
}

fn name(method: MethodId, methods: &Names) -> String {
    methods.get(&method.0).cloned().unwrap_or_else(|| format!("method {method}"))
}

fn said_beside(Options { deadline, metadata, shape }: &Options) -> String {
    let deadline = deadline.map(|deadline| format!(", deadline {deadline:?}")).unwrap_or_default();
    let metadata = if metadata.is_empty() { String::new() } else { format!(", metadata {metadata:?}") };
    let shape = if shape.is_some() { ", with its shape" } else { "" };
    deadline + &metadata + shape
}

fn why(fault: &Fault) -> String {
    let text = match fault {
        Fault::Refused(refusal) => format!("refused: {refusal}"),
        Fault::Interrupted(interruption) => format!("interrupted: {interruption}"),
        other => format!("{other:?}"),
    };
    // It comes from the peer, and is to stay on its line.
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn no_frame(data: &[u8]) -> String {
    if data.is_empty() {
        return "no frame, 0 bytes".to_owned();
    }
    let shown: Vec<_> = data.iter().take(HEX_LIMIT).map(|byte| format!("{byte:02x}")).collect();
    let rest = if data.len() > HEX_LIMIT { " …" } else { "" };
    format!("no frame, {}: {}{rest}", bytes(data.len()), shown.join(" "))
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

fn join(numbers: &[u32]) -> String {
    let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
    numbers.join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use handover_core::{Interruption, Refusal, wire::Window};

    use super::*;

    fn add() -> Names {
        BTreeMap::from([(MethodId::of_name("add").0, "add".to_owned())])
    }

    #[test]
    fn every_frame_has_words() {
        let (id, method) = (CallId(3), MethodId::of_name("add"));
        let options = Options { deadline: Some(Duration::from_micros(300)), ..Options::default() };
        let malformed = Refusal::Malformed("no\n1 -> cancel 4".into());
        let frames = [
            (Frame::call(id, method, &[1, 2]), "call 3 add, 2 bytes"),
            (Frame::Call { id, method, options, args: &[] }, "call 3 add, 0 bytes, deadline 300µs"),
            (Frame::call(CallId(2 << 32 | 5), MethodId(7), &[]), "call 2/5 method 0x00000007, 0 bytes"),
            (Frame::tell(method, &[1]), "tell add, 1 byte"),
            (Frame::Reply { id, result: &[0, 5] }, "reply 3, 2 bytes"),
            (
                Frame::Fault { id, fault: Fault::Refused(malformed) },
                "fault 3, refused: the arguments could not be read: no 1 -> cancel 4",
            ),
            (
                Frame::Fault { id, fault: Fault::Interrupted(Interruption::Closed) },
                "fault 3, interrupted: the port was closed",
            ),
            (Frame::Cancel { id }, "cancel 3"),
            (Frame::Hello { window: Window { calls: 16, bytes: 300 } }, "hello, 16 calls, 300 bytes"),
            (Frame::Credit { tells: 8 }, "credit, 8 tells"),
        ];
        for (frame, words) in frames {
            assert_eq!(body(&frame.to_bytes(), &add()), words);
        }
    }

    #[test]
    fn what_is_no_frame_is_shown_as_hex_up_to_a_limit() {
        assert_eq!(body(&[], &add()), "no frame, 0 bytes");
        assert_eq!(body(&[0xff, 1], &add()), "no frame, 2 bytes: ff 01");
        assert_eq!(body(&[0; 17], &add()), "no frame, 17 bytes: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 …");
    }

    #[test]
    fn what_travels_beside_the_bytes_and_what_became_of_them_stands_behind() {
        let recorded = Recorded {
            port: 2,
            direction: Direction::Back,
            data: vec![1, 5, 1],
            ports: vec![3, 4],
            buffers: vec![1],
            fate: Fate::Dropped,
        };

        assert_eq!(message(&recorded, &add()), "2 <- cancel 1, with ports 3 4, with a buffer of 1 byte, dropped");
    }
}
