//! Origins, and what a message may be aimed at.
#![cfg(feature = "windows")]

mod common;

use std::collections::HashSet;

use common::{channel, post, take_texts};
use handover_core::{Origin, TargetOrigin};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

/// WIN-02
#[test]
fn only_scheme_host_and_port_of_a_url_count() {
    let shop = origin("https://shop.example");

    for same in [
        "https://shop.example/",
        "https://shop.example:443",
        "HTTPS://Shop.EXAMPLE/cart?item=1#top",
        "https://user:password@shop.example/",
        " https://shop.example\n",
    ] {
        assert_eq!(origin(same), shop, "{same:?}");
    }
    for other in ["http://shop.example", "https://shop.example:444", "https://www.shop.example", "wss://shop.example"] {
        assert_ne!(origin(other), shop, "{other:?}");
    }
}

/// WIN-02
#[test]
fn the_default_port_of_each_scheme_makes_no_difference() {
    for (bare, with_port) in [
        ("http://a.example", "http://a.example:80"),
        ("https://a.example", "https://a.example:443"),
        ("ws://a.example", "ws://a.example:80"),
        ("wss://a.example", "wss://a.example:443"),
        ("ftp://a.example", "ftp://a.example:21"),
    ] {
        assert_eq!(origin(bare), origin(with_port));
        assert_eq!(origin(with_port).to_string(), bare);
    }
}

/// WIN-02
#[test]
fn what_is_no_absolute_url_is_a_syntax_error() {
    for text in ["", "null", "example.org", "//example.org", "/path", "?", "https://", "https://a b", "https://a:99999"]
    {
        assert!(text.parse::<Origin>().is_err(), "{text:?} as an origin");
    }
    for text in ["", "null", "example.org", "//example.org", "/path", " /", "* ", "**", "https://*.example:x"] {
        assert!(text.parse::<TargetOrigin>().is_err(), "{text:?} as a target");
    }
}

/// WIN-02
#[test]
fn a_syntax_error_says_what_is_wrong_with_what() {
    let error = "example.org".parse::<TargetOrigin>().unwrap_err();

    let text = "`example.org` is no absolute URL, so it names no origin: relative URL without a base";
    assert_eq!(error.to_string(), text);
    assert_eq!(error, "example.org".parse::<Origin>().unwrap_err());
}

/// WIN-02
#[test]
fn a_target_that_is_a_syntax_error_leaves_what_was_to_be_posted_as_it_is() {
    let (kept, port) = channel();
    let message = handover_core::Message::new("x").with_port(port);

    assert!("example.org".parse::<TargetOrigin>().is_err());

    let port = message.into_parts().ports.remove(0);
    post(&port, ["still connected"]);
    kept.start();
    assert_eq!(take_texts(&kept), ["still connected"]);
}

/// WIN-01, WIN-02
#[test]
fn a_target_is_a_slash_an_asterisk_or_a_url() {
    assert_eq!("/".parse(), Ok(TargetOrigin::Same));
    assert_eq!("*".parse(), Ok(TargetOrigin::Any));
    assert_eq!("https://a.example/x".parse(), Ok(TargetOrigin::Only(origin("https://a.example"))));
    assert_eq!(TargetOrigin::default(), TargetOrigin::Same);
}

/// WIN-03, WIN-06
#[test]
fn a_url_with_an_opaque_origin_is_accepted_and_is_the_same_as_nothing() {
    for text in [
        "data:text/html,hello",
        "about:blank",
        "javascript:0",
        "file:///etc/hosts",
        "localhost:8080",
        "app://host/",
        "blob:null/1f8e",
        "blob:nonsense",
    ] {
        let opaque = origin(text);
        assert!(opaque.is_opaque(), "{text:?}");
        assert_ne!(opaque, origin(text), "{text:?}");
        assert_eq!(opaque, opaque.clone());
        assert_eq!(opaque.to_string(), "null");
    }
}

/// WIN-02
#[test]
fn a_blob_url_has_the_origin_of_the_page_that_made_it() {
    assert_eq!(origin("blob:https://a.example/1f8e"), origin("https://a.example"));
    assert_eq!(origin("blob:http://a.example:81/1f8e"), origin("http://a.example:81"));
}

/// WIN-03
#[test]
fn a_blob_url_of_anything_but_a_page_is_opaque_however_long_it_is() {
    for text in ["blob:ftp://a.example/1", "blob:file:///1", "blob:blob:https://a.example/1"] {
        assert!(origin(text).is_opaque(), "{text:?}");
    }
    assert!(origin(&"blob:".repeat(100_000)).is_opaque());
}

/// WIN-06
#[test]
fn an_opaque_origin_is_the_same_as_itself_only() {
    let (one, other) = (Origin::opaque(), Origin::opaque());

    assert_ne!(one, other);
    assert_eq!(one, one.clone());
    assert_eq!(HashSet::from([one.clone(), one, other]).len(), 2);
}

/// WIN-06
#[test]
fn a_subdomain_is_another_origin() {
    assert_ne!(origin("https://a.example"), origin("https://b.a.example"));
}

/// WIN-07
#[test]
fn an_internationalised_host_is_written_in_ascii() {
    let ascii = "https://xn--bcher-kva.example";

    for text in ["https://bücher.example", "https://BÜCHER.example/", "https://b%C3%BCcher.example", ascii] {
        assert_eq!(origin(text).to_string(), ascii);
    }
}

/// WIN-07
#[test]
fn an_address_is_written_in_its_shortest_form() {
    assert_eq!(origin("http://[2001:DB8:0:0:0:0:0:1]:80/").to_string(), "http://[2001:db8::1]");
    assert_eq!(origin("http://[::1]:8080").to_string(), "http://[::1]:8080");
    assert_eq!(origin("http://0x7f.1").to_string(), "http://127.0.0.1");
}

/// WIN-07
#[test]
fn what_an_origin_is_written_as_reads_as_the_same_origin_unless_it_is_opaque() {
    for text in ["https://bücher.example:8443/x", "http://[::1]", "ws://a.example"] {
        assert_eq!(origin(&origin(text).to_string()), origin(text));
    }
    assert!(Origin::opaque().to_string().parse::<TargetOrigin>().is_err());
}
