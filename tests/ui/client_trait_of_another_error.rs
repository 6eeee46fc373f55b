// The error has to be able to say that the call failed.
use handover::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct AddError;

#[service(client_trait)]
trait Contacts {
    async fn count(&self) -> Result<u32, CallErrorOrNot>;
    async fn add(&self, name: String) -> Result<u32, AddError>;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct CallErrorOrNot;

impl From<CallError> for CallErrorOrNot {
    fn from(_: CallError) -> Self {
        Self
    }
}

fn main() {}
