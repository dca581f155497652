//! The page of the specification, run: its JavaScript as it is printed but for the host, in an engine.
//!
//! An engine has no WebSocket, so it is given one: its constructor opens a real connection to a real server, with
//! the Origin that a browser would send, and each message that comes is handed to `onmessage` as a browser
//! does. What a browser adds to that (its own handshake, a policy of the page) is not in this test.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests that unwraps says where it failed"
)]

#[path = "network/asking.rs"]
#[expect(dead_code, reason = "the other program asks more")]
mod asking;
#[path = "network/server.rs"]
#[expect(dead_code, reason = "the other program asks more")]
mod server;

use futures_util::StreamExt;
use reflow_tracing_protocol::{TraceEvent, TraceId, TracingRequest, TracingResponse};
use rquickjs::{Context, Ctx, Function, Object, Runtime, Value};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use asking::Asking;
use server::Serving;

/// As the specification prints it.
const SNIPPET: &str = "\
// WebSocket connection for real-time data flow monitoring
const ws = new WebSocket('ws://tracing-server:8080');

ws.onmessage = (event) => {
    const traceEvent = JSON.parse(event.data);
    if (traceEvent.event_type.DataFlow) {
        updateDataFlowVisualization(traceEvent);
    }
};
";

/// What a browser has and an engine has not; and what the page itself would have.
const BROWSER: &str = "\
globalThis.sockets = [];
globalThis.drawn = [];
class WebSocket {
    constructor(url) {
        this.url = url;
        this.onmessage = null;
        globalThis.sockets.push(this);
    }
}
globalThis.WebSocket = WebSocket;
function updateDataFlowVisualization(event) {
    globalThis.drawn.push(event.actor_id + ' -> ' + event.event_type.DataFlow.to_actor);
}
";

/// A value of the engine, or what it has thrown.
fn evaluated<'js, T: rquickjs::FromJs<'js>>(context: &Ctx<'js>, text: &str) -> T {
    let value = context.eval::<T, _>(text);
    value.unwrap_or_else(|error| panic!("{error}: {:?}", context.catch()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_specification_draws_the_flows_of_a_real_server() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let url = serving.url();
    let runtime = Runtime::new().unwrap();
    let page = Context::full(&runtime).unwrap();
    let asked: String = page.with(|context| {
        let _: Value = evaluated(&context, BROWSER);
        let snippet = SNIPPET.replace("ws://tracing-server:8080", &url);
        let _: Value = evaluated(&context, &snippet);
        evaluated(&context, "sockets[0].url")
    });
    assert_eq!(asked, url);

    // The socket that the page has opened.
    let mut request = asked.into_client_request().unwrap();
    let origin = "http://localhost:3000".parse().unwrap();
    request.headers_mut().insert("origin", origin);
    let (mut socket, _) = connect_async(request).await.unwrap();

    let mut network = Asking::connect(&url).await;
    // A page says nothing, so that nobody tells when it is listened to: events until the first one comes.
    let mut recorded = 0;
    let first = loop {
        record(
            &mut network,
            TraceEvent::data_flow(
                "reader".into(),
                "out".into(),
                "store".into(),
                "in".into(),
                "Reading".into(),
                8,
            ),
        )
        .await;
        recorded += 1;
        let next = tokio::time::timeout(std::time::Duration::from_millis(200), socket.next());
        if let Ok(message) = next.await {
            break message.unwrap().unwrap();
        }
        assert!(recorded < 100, "nothing ever comes");
    };
    record(&mut network, TraceEvent::actor_created("newcomer".into())).await;
    record(
        &mut network,
        TraceEvent::data_flow(
            "store".into(),
            "out".into(),
            "screen".into(),
            "in".into(),
            "Picture".into(),
            8,
        ),
    )
    .await;
    let mut messages = vec![first];
    while !messages
        .last()
        .unwrap()
        .to_text()
        .unwrap()
        .contains("screen")
    {
        messages.push(socket.next().await.unwrap().unwrap());
    }
    let drawn: Vec<String> = page.with(|context| {
        for message in messages {
            if let Message::Text(text) = message {
                let event = Object::new(context.clone()).unwrap();
                event.set("data", text.as_str()).unwrap();
                let heard: Function = evaluated(&context, "sockets[0].onmessage");
                let result = heard.call::<_, Value>((event,));
                result.unwrap_or_else(|error| panic!("{error}: {:?}", context.catch()));
            }
        }
        evaluated(&context, "drawn")
    });
    assert_eq!(drawn.first().map(String::as_str), Some("reader -> store"));
    assert_eq!(drawn.last().map(String::as_str), Some("store -> screen"));
    assert!(!drawn.iter().any(|flow| flow.contains("newcomer")));
}

async fn record(network: &mut Asking, event: TraceEvent) {
    let trace_id = TraceId::new();
    network
        .say(&TracingRequest::RecordEvent { trace_id, event })
        .await;
    let answer = network.heard().await;
    assert!(
        matches!(answer, TracingResponse::EventRecorded { success: true, .. }),
        "{answer:?}"
    );
}
