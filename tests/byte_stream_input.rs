//! What the other side of a connection may send that is wrong: it ends that connection, and nothing else.

mod common;

use allocation_counter::measure;
use common::{
    settle,
    streams::{block_on, side, stream},
};
use fastrand::Rng;
use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, executor, poll};
use handover::{
    CallError, ClosedBy,
    byte_stream::{
        ChannelId, ConnectionError, ConnectionOptions, Limit, Limits, VERSION,
        frame::{End, Frame, FrameError},
    },
    context,
    prelude::*,
    testing::settled,
};

const FIRST: ChannelId = ChannelId::FIRST;

#[service]
trait Echo {
    async fn echo(&self, text: String) -> String;
}

struct Wall;

impl Echo for Wall {
    async fn echo(&self, text: String) -> String {
        text
    }
}

fn preamble() -> Vec<u8> {
    let mut bytes = Vec::new();
    Limits::default().write(&mut bytes);
    bytes
}

fn frames(frames: &[Frame<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| frame.write(&mut bytes));
    bytes
}

/// A post with ports, and with what it claims to have in buffers.
fn post_with(channel: u8, ports: &[u8], buffers: &[u8]) -> Vec<u8> {
    let body = [&[2, channel], ports, buffers].concat();
    [&[u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

fn post(channel: u64) -> Frame<'static> {
    Frame::post(ChannelId(channel), b"hello")
}

fn close(channel: u64) -> Frame<'static> {
    Frame::Close { channel: ChannelId(channel), end: End::Closed }
}

fn credit(channel: u64, cost: u64) -> Frame<'static> {
    Frame::Credit { channel: ChannelId(channel), cost }
}

/// How a connection ends to whose side all of this was sent at once, and nothing after it. Its port is there and reads nothing.
fn after_sending(bytes: &[u8], options: ConnectionOptions) -> Option<Result<(), ConnectionError>> {
    block_on(async {
        let (one, mut other) = stream(bytes.len().max(1));
        other.write_all(bytes).await.unwrap();
        let (port, connection) = side(one, options);
        port.start();
        let ended = settled(connection).await;
        if let Some(Err(_)) = &ended {
            assert!(port.is_closed(), "the connection has ended, and its port has not");
        }
        ended
    })
}

/// How a connection ends when the other side has said how much it takes, and then this.
fn error_after(bytes: &[u8]) -> ConnectionError {
    error_with(ConnectionOptions::default(), bytes)
}

fn error_with(options: ConnectionOptions, bytes: &[u8]) -> ConnectionError {
    let ended = after_sending(&[preamble(), bytes.to_vec()].concat(), options);
    ended.expect("the connection goes on").expect_err("it ended well")
}

// The preamble

#[test]
fn a_preamble_with_another_byte_in_front_is_none() {
    for place in 0..8 {
        let mut bytes = preamble();
        bytes[place] ^= 1;

        assert_eq!(after_sending(&bytes, ConnectionOptions::default()), Some(Err(ConnectionError::NotHandover)));
    }
}

#[test]
fn what_speaks_something_else_is_noticed_at_its_first_byte() {
    assert_eq!(after_sending(b"G", ConnectionOptions::default()), Some(Err(ConnectionError::NotHandover)));
}

#[test]
fn another_version_is_named() {
    let mut bytes = preamble();
    bytes[8] = VERSION + 1;

    let ended = after_sending(&bytes, ConnectionOptions::default());

    assert_eq!(ended, Some(Err(ConnectionError::Version(VERSION + 1))));
}

#[test]
fn a_preamble_with_too_few_numbers_is_none() {
    let bytes = [b"handover".as_slice(), &[VERSION, 2, 1, 1]].concat();

    assert_eq!(after_sending(&bytes, ConnectionOptions::default()), Some(Err(ConnectionError::NotHandover)));
}

#[test]
fn what_follows_the_numbers_of_a_preamble_is_skipped() {
    let bytes = [b"handover".as_slice(), &[VERSION, 8, 1, 1, 1, 1, 1, 1, 99, 99]].concat();

    assert_eq!(after_sending(&bytes, ConnectionOptions::default()), None, "the connection goes on");
}

// Frames

#[test]
fn what_is_no_frame_ends_the_connection() {
    assert_eq!(error_after(&[1, 9]), ConnectionError::Frame(FrameError::Kind(9)));
    for malformed in [&[0][..], &[1, 1], &[2, 1, 0x80], &[2, 3, 0], &[3, 3, 0, 7], &[4, 3, 0, 0, 0], &[3, 2, 0, 1]] {
        assert_eq!(error_after(malformed), ConnectionError::Frame(FrameError::Malformed), "{malformed:?}");
    }
    assert_eq!(error_after(&[0x80; 12]), ConnectionError::Frame(FrameError::Malformed));
}

#[test]
fn a_channel_that_nobody_opened_is_unknown() {
    for channel in [1, 2, 3, 4, 5, 1 << 40, u64::MAX] {
        for frame in [post(channel), close(channel), credit(channel, 0)] {
            let error = error_after(&frames(&[frame]));

            assert!(matches!(error, ConnectionError::UnknownChannel(_)), "{frame:?}: {error}");
        }
    }
}

#[test]
fn a_channel_that_was_closed_by_the_other_side_takes_nothing_more_from_it() {
    for frame in [post(0), close(0), credit(0, 0)] {
        let error = error_after(&frames(&[post(0), close(0), frame]));

        assert_eq!(error, ConnectionError::AfterClose(FIRST), "{frame:?}");
    }
}

#[test]
fn a_channel_that_was_closed_at_both_ends_is_unknown_for_ever() {
    for frame in [post(2), close(2), credit(2, 0)] {
        block_on(async {
            let (one, mut other) = stream(1 << 16);
            let (port, connection) = side(one, ConnectionOptions::default());
            let mut connection = Box::pin(connection);
            port.start();
            let opened = [preamble(), post_with(0, &[1], &[0])].concat();
            other.write_all(&opened).await.unwrap();
            assert!(poll!(&mut connection).is_pending());
            drop(port.recv().await.unwrap());
            other.write_all(&frames(&[close(2)])).await.unwrap();
            assert!(poll!(&mut connection).is_pending());

            other.write_all(&frames(&[frame])).await.unwrap();

            assert_eq!(connection.await, Err(ConnectionError::UnknownChannel(ChannelId(3))), "{frame:?}");
        });
    }
}

/// C27
#[test]
fn more_than_was_sent_cannot_be_given_back() {
    assert_eq!(error_after(&frames(&[credit(0, 1)])), ConnectionError::Credit(FIRST));
    assert_eq!(error_after(&frames(&[credit(0, 0), credit(0, u64::MAX)])), ConnectionError::Credit(FIRST));
}

#[test]
fn what_comes_late_for_an_end_that_was_closed_here_is_dropped_with_the_ports_in_it() {
    block_on(async {
        let (one, mut other) = stream(1 << 16);
        let (port, connection) = side(one, ConnectionOptions::default());
        drop(port);
        let mut connection = Box::pin(connection);
        other.write_all(&preamble()).await.unwrap();
        assert!(poll!(&mut connection).is_pending());
        let late = [frames(&[post(0)]), post_with(0, &[1], &[0]), frames(&[post(2), close(0)])].concat();
        other.write_all(&late).await.unwrap();
        assert!(poll!(&mut connection).is_pending(), "the port in the late message is open");

        let mut sent = vec![0; 100];
        let length = other.read(&mut sent).await.unwrap();
        let closes = frames(&[close(0), close(3)]);
        assert_eq!(sent[preamble().len()..length], closes, "both ends are closed here");

        other.write_all(&frames(&[close(2)])).await.unwrap();
        assert_eq!((&mut connection).await, Ok(()));
        assert_eq!(other.read(&mut sent).await.unwrap(), 0, "the stream is closed");
    });
}

// Limits

/// C22
#[test]
fn a_side_that_sends_more_than_it_may_ends_the_connection() {
    let options = || {
        let options = ConnectionOptions::default().max_message(100).max_ports(2).max_buffers(2);
        options.max_channels(3).window(200).max_waiting(500)
    };
    let exceeded = |bytes: &[u8]| match error_with(options(), bytes) {
        ConnectionError::Exceeded(limit) => limit,
        other => panic!("{other}"),
    };

    assert_eq!(exceeded(&frames(&[Frame::post(FIRST, &[7; 101])])), Limit::Message);
    let buffers = [&[2, 51, 50][..], &[7; 101]].concat();
    assert_eq!(exceeded(&post_with(0, &[0], &buffers)), Limit::Message, "in its buffers");
    assert_eq!(exceeded(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Limit::Message, "before any of it has come");
    assert_eq!(exceeded(&post_with(0, &[3], &[0])), Limit::Ports);
    assert_eq!(exceeded(&post_with(0, &[0], &[3, 0, 0, 0])), Limit::Buffers);
    assert_eq!(exceeded(&[post_with(0, &[2], &[0]), post_with(0, &[2], &[0])].concat()), Limit::Channels);
    assert_eq!(exceeded(&frames(&[Frame::post(FIRST, &[7; 100]); 3])), Limit::Window);
    let three_ports = post_with(0, &[1], &[0]).repeat(3);
    let at_each = frames(&[2, 4, 6].map(|channel| Frame::post(ChannelId(channel), &[7; 100])));
    assert_eq!(exceeded(&[three_ports, at_each].concat()), Limit::Waiting);
}

#[test]
fn as_much_as_may_be_sent_may_be_sent() {
    let options = ConnectionOptions::default().max_message(100).max_ports(2).max_channels(2).window(200);
    let all = [preamble(), post_with(0, &[2], &[0]), frames(&[Frame::post(FIRST, &[7; 100])])].concat();

    assert_eq!(after_sending(&all, options), None, "the connection goes on");
}

/// C22
#[test]
fn nothing_is_set_aside_for_what_is_only_claimed() {
    const HUGE: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let ten = [7; 10];
    let claims = [
        ("a frame of 4 GiB", [&HUGE[..], &ten].concat()),
        ("a frame that is as long as may be", [&[0xff, 0xff, 0xff, 7][..], &ten].concat()),
        ("4 billion ports", post_with(0, &HUGE, &[0])),
        ("4 billion buffers", post_with(0, &[0], &[&HUGE[..], &ten].concat())),
        ("a buffer of 4 GiB", post_with(0, &[0], &[&[1], &HUGE[..], &ten].concat())),
        ("credit for 4 GiB", [vec![7, 4, 0], HUGE.to_vec()].concat()),
    ];
    for (claim, bytes) in claims {
        let bytes = [preamble(), bytes].concat();

        let set_aside = measure(|| {
            let (one, mut other) = stream(bytes.len());
            executor::block_on(other.write_all(&bytes)).unwrap();
            drop(other);
            let (_port, connection) = side(one, ConnectionOptions::default());
            assert!(executor::block_on(connection).is_err(), "{claim}");
        });

        // The room that a connection has anyway, and a little.
        assert!(set_aside.bytes_max < 80 << 10, "{claim}: {} bytes", set_aside.bytes_max);
        assert!(set_aside.bytes_max > 64 << 10, "nothing was measured");
    }
}

// Anything at all

/// A connection in the middle of its life, as the other side has sent it.
fn story() -> Vec<u8> {
    let mut bytes = preamble();
    bytes.extend(frames(&[post(0)]));
    bytes.extend(post_with(0, &[2], &[2, 1, 3, 7, 8, 8, 8, b'x']));
    bytes.extend(frames(&[post(2), credit(0, 0), post(4), close(2), close(0), close(4)]));
    bytes
}

/// Sends bytes to a side that has a call under way and reads what comes: the call ends, the ports end, and nothing panics.
fn survives(bytes: &[u8]) {
    block_on(async {
        let (one, mut other) = stream(bytes.len() + (1 << 16));
        let (port, connection) = side(one, ConnectionOptions::default().max_message(1 << 20));
        let echo = EchoClient::from(port);
        let mut call = Box::pin(echo.echo("hello".into()).into_future());
        assert!(poll!(&mut call).is_pending());
        other.write_all(bytes).await.unwrap();
        drop(other);

        let ended = settled(connection).await;

        assert!(ended.is_some(), "the connection goes on after the end of the stream: {bytes:?}");
        let call = call.now_or_never();
        assert!(call.is_some(), "the call goes on after the end of the connection: {bytes:?}");
        assert!(echo.port().is_closed());
    });
}

/// The same where whoever has the port reads it, and everything that comes in it.
fn is_read(bytes: &[u8]) {
    block_on(async {
        let (one, mut other) = stream(bytes.len() + (1 << 16));
        let (port, connection) = side(one, ConnectionOptions::default().max_message(1 << 20));
        other.write_all(bytes).await.unwrap();
        drop(other);

        assert!(settled(connection).await.is_some(), "{bytes:?}");

        let mut ports = vec![port];
        while let Some(port) = ports.pop() {
            port.start();
            while let Some(Ok(message)) = port.recv().now_or_never() {
                ports.extend(message.into_parts().ports);
            }
            assert!(port.closed().now_or_never().is_some(), "{bytes:?}");
        }
    });
}

#[test]
fn a_stream_may_end_at_every_byte() {
    let story = story();
    for length in 0..story.len() {
        survives(&story[..length]);
        is_read(&story[..length]);
    }
    let whole = frames(&[post(0), credit(0, 0)]);
    for length in 1..whole.len() {
        let cut = [preamble(), whole[..length].to_vec()].concat();
        let ended = context::block_on(async {
            let (one, mut other) = stream(cut.len());
            other.write_all(&cut).await.unwrap();
            drop(other);
            side(one, ConnectionOptions::default()).1.await
        });
        let at_a_frame = length == frames(&[post(0)]).len();
        let expected = if at_a_frame { ConnectionError::Ended } else { ConnectionError::CutShort };
        assert_eq!(ended, Err(expected), "after {length} bytes");
    }
}

#[test]
fn every_byte_of_a_connection_may_be_anything() {
    let story = story();
    for place in 0..story.len() {
        let mut bytes = story.clone();
        for byte in 0..=u8::MAX {
            bytes[place] = byte;
            is_read(&bytes);
        }
        for bit in 0..8 {
            bytes[place] = story[place] ^ (1 << bit);
            survives(&bytes);
        }
    }
}

#[test]
fn every_byte_of_a_connection_may_be_missing_or_there_twice() {
    let story = story();
    for place in 0..story.len() {
        let mut missing = story.clone();
        let byte = missing.remove(place);
        is_read(&missing);
        let mut twice = story.clone();
        twice.insert(place, byte);
        is_read(&twice);
    }
}

#[test]
fn a_side_may_send_whatever_it_likes() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = preamble();
        for _ in 0..rng.usize(0..30) {
            let channel = rng.u8(0..6);
            match rng.u8(0..8) {
                0 => bytes.extend((0..rng.usize(0..20)).map(|_| rng.u8(..))),
                1 => {
                    bytes.extend(post_with(channel, &[rng.u8(0..4)], &[rng.u8(0..3), rng.u8(0..3), rng.u8(0..3), 0, 0]))
                }
                2 => bytes.extend(frames(&[credit(channel.into(), rng.u64(0..3))])),
                3 => bytes.extend(frames(&[close(channel.into())])),
                _ => bytes.extend(frames(&[post(channel.into())])),
            }
        }
        survives(&bytes);
        is_read(&bytes);
    }
}

#[test]
fn another_connection_of_the_same_context_goes_on() {
    block_on(async {
        let (ours, theirs) = common::streams::ports(ConnectionOptions::default());
        context::spawn_local(EchoServer::new(Wall).serve(theirs));
        let echo = EchoClient::from(ours);

        let (one, mut other) = stream(1 << 16);
        let (port, connection) = side(one, ConnectionOptions::default());
        other.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(connection.await, Err(ConnectionError::NotHandover));

        assert_eq!(port.closed().await, ClosedBy::Disconnected);
        assert_eq!(echo.echo("hello".into()).await, Ok("hello".to_owned()));
    });
}

#[test]
fn an_error_says_what_the_other_side_has_done() {
    let says = |error: ConnectionError, what: &str| assert!(error.to_string().contains(what), "{error}");

    says(error_after(&frames(&[post(7)])), "it named channel 6, which is not open");
    says(error_after(&[1, 9]), "there is no frame of kind 9");
    says(ConnectionError::Exceeded(Limit::Ports), "more ports in one message than this side takes");
}

#[test]
fn a_call_on_a_port_that_came_ends_with_the_connection() {
    block_on(async {
        let (one, mut other) = stream(1 << 16);
        let (port, connection) = side(one, ConnectionOptions::default());
        context::spawn_local(async {
            let _ended = connection.await;
        });
        port.start();
        other.write_all(&[preamble(), post_with(0, &[1], &[0])].concat()).await.unwrap();
        let arrived = port.recv().await.unwrap().into_parts().ports.remove(0);
        let echo = EchoClient::from(arrived);
        let mut call = Box::pin(echo.echo("hello".into()).into_future());
        assert!(poll!(&mut call).is_pending());
        settle().await;

        drop(other);

        assert!(matches!(call.await, Err(CallError::Unknown(_))));
    });
}
