//! Origins on loopback: servers, each on a port of its own.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

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

/// So many servers, with the same pages.
#[derive(Debug)]
pub(crate) struct Sites<const N: usize>([SocketAddr; N]);

impl Sites<3> {
    /// Serves the pages of the tests until the runtime ends.
    pub(crate) async fn of_tests() -> Self {
        let built = ServeDir::new(variable("HANDOVER_PAGES"));
        let router = Router::new().route("/", get(async || Html(PAGE))).fallback_service(built);
        let router = router.layer(map_response(let_anybody_load));
        Self::start(0, |_| router).await.expect("loopback has free ports")
    }

    /// The address of a page: the function that it runs, and what that is told.
    pub(crate) fn page(&self, site: Site, function: &str, parameters: &[(&str, &str)]) -> Url {
        let mut url = Url::parse(&self.origins()[site as usize]).expect("an origin is an address");
        url.query_pairs_mut().append_pair("run", function).extend_pairs(parameters);
        url
    }
}

impl<const N: usize> Sites<N> {
    /// Serves, until the runtime ends, what `pages` makes of the addresses: at this port and the ones after it, or at any that are free if
    /// it is 0.
    ///
    /// # Errors
    /// If a port is taken.
    pub(crate) async fn start(first_port: u16, pages: impl FnOnce(&Self) -> Router) -> io::Result<Self> {
        let mut listeners = Vec::new();
        for nth in 0..N {
            let port = if first_port == 0 { 0 } else { first_port.saturating_add(nth.try_into().unwrap_or(u16::MAX)) };
            listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?);
        }
        let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
        for (address, listener) in addresses.iter_mut().zip(&listeners) {
            *address = listener.local_addr()?;
        }
        let sites = Self(addresses);
        let router = pages(&sites);
        for listener in listeners {
            let router = router.clone();
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Ok(sites)
    }

    /// The origins, as pages see them.
    pub(crate) fn origins(&self) -> [String; N] {
        self.0.map(|address| format!("http://{address}"))
    }
}

/// A sandboxed frame has no origin, so nothing that it loads is of its own.
async fn let_anybody_load(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
