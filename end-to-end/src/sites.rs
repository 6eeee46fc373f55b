//! The origins that pages are from.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{
    Router,
    http::{HeaderValue, header::ACCESS_CONTROL_ALLOW_ORIGIN},
    middleware::map_response,
    response::{Html, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;
use url::Url;

use crate::driver::variable;

/// The page that every test opens: it runs the function that its address names.
const PAGE: &str = include_str!("page.html");

/// An origin of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// The first one.
    A,
    /// Another one.
    B,
    /// And a third.
    C,
}

/// Three servers, with the same pages.
#[derive(Debug)]
pub(crate) struct Sites([SocketAddr; 3]);

impl Sites {
    /// Serves until the runtime ends.
    pub(crate) async fn start() -> Self {
        Self([serve().await, serve().await, serve().await])
    }

    /// The address of a page: the function that it runs, and what that is told.
    pub(crate) fn page(&self, site: Site, function: &str, parameters: &[(&str, &str)]) -> Url {
        let mut url = Url::parse(&format!("http://{}/", self.0[site as usize])).expect("an address is one");
        url.query_pairs_mut().append_pair("run", function).extend_pairs(parameters);
        url
    }
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let built = ServeDir::new(variable("HANDOVER_PAGES"));
    let router = Router::new().route("/", get(async || Html(PAGE))).fallback_service(built);
    let router = router.layer(map_response(let_anybody_load));
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

/// A sandboxed frame has no origin, so nothing that it loads is of its own.
async fn let_anybody_load(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
