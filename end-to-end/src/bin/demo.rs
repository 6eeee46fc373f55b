//! Serves the demo until it is ended, say by Ctrl-C: `demo FOLDER [PORT]`, with the folder that it was built into. Run by
//! `cargo xtask demo`.

use std::{env, future, path::PathBuf, process::ExitCode};

use handover_end_to_end::Demo;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve().await {
        Ok(demo) => {
            println!("The demo is at {}\nCtrl-C ends it.", demo.address());
            future::pending().await
        }
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<Demo, String> {
    let mut arguments = env::args_os().skip(1);
    let folder = arguments.next().map(PathBuf::from).ok_or("say in which folder the demo is")?;
    let port = match arguments.next() {
        Some(port) => port.to_string_lossy().parse().map_err(|error| format!("that is no port: {error}"))?,
        None => 0,
    };
    Demo::start(port, &folder).await.map_err(|error| format!("the demo cannot be served at that port: {error}"))
}
