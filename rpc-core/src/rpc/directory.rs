//! Several services behind one port, each found by its name.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{
    Answer, Argument, Call, CallError, Client, ClientStub, Incoming, Method, MethodId, Never, Opened, Responder,
    ResultCodec, RpcError, ServeOptions, Service, put_argument, result_codec, serve, take_argument,
};
use crate::{
    MessageChannel, MessagePort,
    message::{DecodeError, Decoder, EncodeError, Encoder},
    shape::{MethodKind, Shape, StaticDescription, StaticMethod},
};

/// Services by their names, to be served at one port: whoever has the port can ask for each of them, and for nothing else.
///
/// # Examples
/// With services that `#[service]` made, and a context to serve them in:
/// `Directory::new().with("contacts", move |port| context::spawn_local(ContactsServer::new(book.clone()).serve(port)))`.
/// ```
/// use handover_core::{MessageChannel, MessagePort, rpc::{Directory, DirectoryClient, NoSuchService}, RpcError};
///
/// # futures::executor::block_on(async {
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// let directory = Directory::new().with("echo", |port: MessagePort| port.post_message("hello").unwrap());
/// let client = DirectoryClient::from(ours);
/// let asked = async {
///     let echo: MessagePort = client.open("echo").await?;
///     echo.start();
///     assert_eq!(echo.recv().await.unwrap().data(), b"hello");
///     let missing = client.open::<MessagePort>("ping").await.unwrap_err();
///     assert_eq!(missing, RpcError::Service(NoSuchService("ping".into())));
///     drop(client);
///     Ok::<(), RpcError<NoSuchService>>(())
/// };
/// let (asked, ()) = futures::join!(asked, directory.serve(theirs));
/// asked
/// # }).unwrap();
/// ```
#[derive(Default)]
pub struct Directory {
    services: BTreeMap<String, Open>,
    options: ServeOptions,
}

/// Starts a service at a port.
type Open = Box<dyn Fn(MessagePort)>;

impl Directory {
    /// A directory without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service, in place of one of the same name. `open` is called each time that somebody asks for it, with the service's
    /// end of a new channel: it spawns what serves that.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, open: impl Fn(MessagePort) + 'static) -> Self {
        self.services.insert(name.into(), Box::new(open));
        self
    }

    /// Says how the directory itself is served: who may ask, and how often.
    #[must_use]
    pub fn options(mut self, options: ServeOptions) -> Self {
        self.options = options;
        self
    }

    /// Serves a port until the other end has closed it. The services that were opened go on.
    pub async fn serve(mut self, port: MessagePort) {
        let options = std::mem::take(&mut self.options);
        serve::<DirectoryServer>(self, port, options).await;
    }

    fn open(&self, name: String) -> Result<MessagePort, NoSuchService> {
        let Some(open) = self.services.get(&name) else { return Err(NoSuchService(name)) };
        let (ours, theirs) = MessageChannel::new().into_ports();
        open(ours);
        Ok(theirs)
    }

    fn names(&self) -> Vec<String> {
        self.services.keys().cloned().collect()
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.services.keys()).finish()
    }
}

/// There is no service of this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoSuchService(pub String);

impl fmt::Display for NoSuchService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no service `{}` here", self.0)
    }
}

impl std::error::Error for NoSuchService {}

/// Asks a [`Directory`] for its services. A clone is a client of its own.
#[derive(Clone, Debug)]
pub struct DirectoryClient(ClientStub);

impl DirectoryClient {
    /// Opens a service, and makes a client of it; that it is a service of the client's kind is seen at the first call.
    ///
    /// # Errors
    /// [`NoSuchService`], or the call's error.
    ///
    /// # Cancel safety
    /// Dropped, it cancels the call; a service that was opened by then finds its port closed.
    pub async fn open<C: From<MessagePort>>(&self, name: &str) -> Result<C, RpcError<NoSuchService>> {
        self.0.call::<OpenMethod, RpcError<NoSuchService>>((name.to_owned(),)).await.map(C::from)
    }

    /// The names of all services, in alphabetical order.
    ///
    /// # Errors
    /// The call's.
    pub fn names(&self) -> Call<'_, Vec<String>, CallError> {
        self.0.call::<NamesMethod, _>(())
    }
}

impl From<MessagePort> for DirectoryClient {
    fn from(port: MessagePort) -> Self {
        Self(ClientStub::new(port))
    }
}

impl Client for DirectoryClient {
    fn port(&self) -> &MessagePort {
        self.0.port()
    }

    fn into_port(self) -> MessagePort {
        self.0.into_port()
    }

    fn stub(&self) -> &ClientStub {
        &self.0
    }

    fn with_options(self, options: super::ClientOptions) -> Self {
        Self(self.0.with(options))
    }
}

/// What `#[service]` would write, if it could be used here: core does not depend on the macro.
struct DirectoryServer;

enum DirectoryCall {
    Open(String, Responder<OpenMethod>),
    Names(Responder<NamesMethod>),
}

impl Service for DirectoryServer {
    type Object = Directory;
    type SharedCall = DirectoryCall;
    type OnceCall = Never;

    const DESCRIPTION: StaticDescription = StaticDescription {
        name: "Directory",
        docs: "Services by their names.",
        methods: &[OpenMethod::DESCRIPTION, NamesMethod::DESCRIPTION],
        supers: &[],
    };

    fn serves(method: MethodId) -> bool {
        method == OpenMethod::ID || method == NamesMethod::ID
    }

    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer> {
        if incoming.method() == OpenMethod::ID {
            let ((name,), responder) = incoming.open::<OpenMethod>()?;
            return Ok(Opened::shared::<OpenMethod>(DirectoryCall::Open(name, responder)));
        }
        if incoming.method() == NamesMethod::ID {
            let ((), responder) = incoming.open::<NamesMethod>()?;
            return Ok(Opened::shared::<NamesMethod>(DirectoryCall::Names(responder)));
        }
        Err(incoming.unknown_method())
    }

    async fn run(directory: &Directory, call: DirectoryCall) -> Answer {
        match call {
            DirectoryCall::Open(name, responder) => responder.run(async { directory.open(name) }).await,
            DirectoryCall::Names(responder) => responder.run(async { directory.names() }).await,
        }
    }

    async fn run_once(_: Directory, call: Never) -> Answer {
        match call {}
    }
}

struct OpenMethod;

/// How a name is written and read.
const NAME: Argument<String> = Argument::of();

impl Method for OpenMethod {
    const ID: MethodId = MethodId::of_name(Self::NAME);
    const NAME: &'static str = "open";
    const SERVICE: &'static str = "Directory";
    type Args = (String,);
    type Ok = MessagePort;
    type Err = NoSuchService;
    type Return = Result<MessagePort, NoSuchService>;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: Self::ID.0,
        name: Self::NAME,
        docs: "Opens a service.",
        kind: MethodKind::Call,
        args: &[("name", NAME.shape())],
        ok: Shape::of::<MessagePort>,
        err: Some(Shape::of::<NoSuchService>),
    };
    const RESULT: ResultCodec<MessagePort, NoSuchService> = result_codec();

    fn encode_args((name,): &(String,), to: &mut Encoder) -> Result<(), EncodeError> {
        put_argument(&NAME, name, to)
    }

    fn decode_args(from: &mut Decoder<'_>) -> Result<(String,), DecodeError> {
        take_argument(&NAME, from).map(|name| (name,))
    }

    fn into_result(returned: Self::Return) -> Self::Return {
        returned
    }
}

struct NamesMethod;

impl Method for NamesMethod {
    const ID: MethodId = MethodId::of_name(Self::NAME);
    const NAME: &'static str = "names";
    const SERVICE: &'static str = "Directory";
    type Args = ();
    type Ok = Vec<String>;
    type Err = Never;
    type Return = Vec<String>;
    const DESCRIPTION: StaticMethod = StaticMethod {
        id: Self::ID.0,
        name: Self::NAME,
        docs: "The names of all services.",
        kind: MethodKind::Call,
        args: &[],
        ok: Shape::of::<Vec<String>>,
        err: None,
    };
    const RESULT: ResultCodec<Vec<String>, Never> = result_codec();

    fn encode_args((): &(), _: &mut Encoder) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode_args(_: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn into_result(returned: Vec<String>) -> Result<Vec<String>, Never> {
        Ok(returned)
    }
}
