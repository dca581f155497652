//! What a program sees of tracing that is compiled out: nothing.

use reflow_trace_compiled_out::{
    Notice, Payment, block_on, connect, everything_is_off, sum_of_the_network,
};

use reflow_trace::w3c::Incoming;
use reflow_trace::{CarryCause as _, Causes, Context, Message as _, carry_cause};

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
fn batches_broadcasts_and_functions_do_their_work() {
    let (connector, inbox) = connect("cashier", "adder");
    let payment = |id| Payment {
        id,
        amount: 1,
        context: Context::NONE,
    };
    connector
        .send_all(vec![payment(1), payment(2)])
        .expect("there is room");
    assert_eq!(block_on(connector.broadcast(payment(3))).ok(), Some(1));
    assert!(connector.poll_send(payment(4)).is_ready());
    let edge = reflow_trace::Edge::new("cashier", "out", "adder", "in");
    reflow_trace::send(&edge, payment(5), |message| connector.channel.send(message))
        .expect("there is room");
    let sent = reflow_trace::send_async(&edge, payment(6), async |message| {
        connector.channel.send(message)
    });
    block_on(sent).expect("there is room");
    for id in 1..=6 {
        let message = inbox.recv().expect("it was sent");
        reflow_trace::received(&edge, &message);
        reflow_trace::handle("adder", "in", message, |message| {
            assert_eq!(message.id, id);
            assert!(!message.context.is_linked());
        });
    }
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

/// What comes in is not looked at, scopes only call, nothing goes out.
#[test]
fn causes_and_contexts_of_other_processes_are_nothing() {
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let incoming = Incoming::extract(traceparent, "congo=t61");
    assert!(!incoming.context.is_linked() && incoming.state.is_empty());
    let context = Context::NONE;
    let causes = Causes::of([&context, &incoming.context]).and(&context);
    assert_eq!(causes.scope_sync(|| 1), 1);
    assert_eq!(block_on(context.scope(async { 2 })), 2);
    assert_eq!(block_on(async { 3 }.in_current_cause()), 3);
    assert_eq!(carry_cause(|| 4)(), 4);
    context.inject(|name, value| panic!("{name}: {value}"));
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
