//! The promises, each of which is a test for each transport. They know of a client and nothing else.
//!
//! It is built for wasm32 too: nothing here blocks, reads a clock or starts a thread.

pub(crate) mod buffers;
pub(crate) mod calls;
pub(crate) mod capabilities;
pub(crate) mod endings;
pub(crate) mod streams;

use handover::CallError;
use handover_sample_service::NotebookClient;

/// Makes a test of each promise, over what the expression connects to. It is evaluated for each anew, in the context of the test.
macro_rules! promises {
    ($connect:expr) => {
        $crate::suite::promises! {
            $connect,
            calls: a_value_goes_there_and_what_the_method_returns_comes_back,
                an_error_of_the_service_s_own_comes_back_as_it_is,
                a_one_way_call_runs_before_the_calls_that_were_made_after_it,
                a_hundred_calls_at_once_are_each_answered_with_their_own_answer;
            streams: a_stream_brings_every_item_in_order_and_then_its_end,
                a_stream_in_the_arguments_brings_every_item_in_order,
                a_stream_without_an_end_runs_as_far_as_it_is_read_and_ends_when_it_is_dropped;
            buffers: a_megabyte_goes_there_and_back,
                an_empty_buffer_goes_there_and_back;
            capabilities: a_capability_that_is_returned_can_be_called_and_is_the_thing_itself,
                a_capability_of_the_caller_s_is_called_back,
                capabilities_inside_values_go_home_and_each_is_the_right_one,
                a_single_use_is_over_with_its_answer,
                a_clone_leads_to_the_same_service;
            endings: a_call_that_is_dropped_ends_at_the_service,
                a_capability_that_is_dropped_ends_at_the_service,
                a_call_whose_time_is_up_ends_at_both_ends,
                what_was_sent_before_its_client_was_dropped_is_done;
        }
    };
    ($connect:expr, $($theme:ident: $($promise:ident),*;)*) => {
        $($(
            #[cfg(not(target_family = "wasm"))]
            #[test]
            fn $promise() {
                handover::context::block_on(async { $crate::suite::$theme::$promise($connect).await });
            }

            #[cfg(target_family = "wasm")]
            #[wasm_bindgen_test::wasm_bindgen_test]
            async fn $promise() {
                handover::context::run(async { $crate::suite::$theme::$promise($connect).await }).await;
            }
        )*)*
    };
}
pub(crate) use promises;

/// Asks until something is so. What the other end learns of a drop has no answer that one could wait for; but it comes before the
/// answers to so many questions.
async fn until(is_so: impl AsyncFn() -> Result<bool, CallError>) {
    for _ in 0..10_000 {
        if is_so().await.unwrap() {
            return;
        }
    }
    panic!("the service has not learned of it");
}

async fn until_busy(notebook: &NotebookClient, busy: u32) {
    until(async || Ok(notebook.busy().await? == busy)).await;
}
