//! What a program sees of tracing that is compiled out: nothing.

use reflow_trace_compiled_out::{
    Notice, Payment, block_on, connect, everything_is_off, sum_of_the_network,
};

use reflow_trace::{Context, Message as _};

#[test]
fn the_whole_interface_is_there_and_records_nothing() {
    everything_is_off().expect("every expectation holds");
}

#[test]
fn the_network_does_its_work() {
    assert_eq!(sum_of_the_network(&[]).ok(), Some(0));
    assert_eq!(sum_of_the_network(&[1, 2, 3, 4, 500]).ok(), Some(510));
    let refused = sum_of_the_network(&[1, 0]).expect_err("a payment of nothing is refused");
    assert_eq!(refused.to_string(), "a payment of nothing");
}

#[test]
fn failures_come_back_with_the_message() {
    let (connector, inbox) = connect("cashier", "adder");
    drop(inbox);
    let payment = Payment {
        id: 1,
        amount: 2,
        context: Context::NONE,
    };
    let failure = connector
        .send(payment.clone())
        .expect_err("nobody receives");
    assert_eq!(failure.0, payment);
    let failure = block_on(connector.send_message(payment.clone())).expect_err("nobody receives");
    assert_eq!(failure.0, payment);
    assert!(!connector.offer(payment.clone()));
    assert!(!connector.try_send(payment));
}

/// The context stays what it was: no probe has filled it in.
#[test]
fn a_message_arrives_as_it_was_sent() {
    let (connector, inbox) = connect("alarm", "adder");
    for notice in [
        Notice::Progress(3),
        Notice::Alarm {
            text: "hot".to_owned(),
        },
        Notice::Debug,
    ] {
        connector.send(notice.clone()).expect("there is room");
        assert_eq!(inbox.recv(), Ok(notice));
    }
    let (connector, inbox) = connect("cashier", "adder");
    let payment = Payment {
        id: 1,
        amount: 2,
        context: Context::NONE,
    };
    connector.send(payment).expect("there is room");
    let received = inbox.recv().expect("it was sent");
    assert_eq!(received.context.trace_id(), None);
    assert_eq!(received.context.event_id(), None);
}

/// `REFLOW_TRACE` starts nothing where there is nothing to start.
#[test]
fn nothing_can_be_switched_on_from_outside() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("flow.jsonl");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_reflow-trace-compiled-out"))
        .env("REFLOW_TRACE", format!("file:{}", file.display()))
        .output()
        .expect("the program was built");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said, "the network added up 6; nothing was recorded\n");
    assert!(!file.exists());
}

/// A library may ask for the policy of a type whether or not recording is compiled in.
#[test]
fn the_policy_of_a_type_can_still_be_asked() {
    let names = [Notice::Progress(1), Notice::Debug].map(|notice| notice.kind().name());
    assert_eq!(names, ["Progress", "Debug"]);
}

/// The channels are there, and they are channels.
#[test]
fn a_traced_channel_passes_messages_on() {
    use reflow_trace::channel::std::mpsc;

    let (sender, receiver) = mpsc::sync_channel(2);
    let sender = sender.named("cashier", "out").with_policy();
    let receiver = receiver.named("adder", "in");
    let payment = |id| Payment {
        id,
        amount: 2,
        context: Context::NONE,
    };
    sender.send(payment(1)).expect("there is room");
    sender.try_send(payment(2)).expect("there is room");
    let full = sender.try_send(payment(3)).expect_err("there is none");
    assert_eq!(full, mpsc::TrySendError::Full(payment(3)));
    let received = receiver.recv().expect("it is there");
    assert_eq!((received.id, received.context.is_linked()), (1, false));
    drop(receiver);
    assert_eq!(sender.send(payment(4)), Err(mpsc::SendError(payment(4))));
}
