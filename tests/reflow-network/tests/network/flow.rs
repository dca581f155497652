//! The network: three actors and two connectors, written as Reflow's users write them.

use std::collections::HashMap;

use reflow_actor_macro::actor;
use reflow_network::actor::{Actor, ActorBehavior, ActorContext, Port};
use reflow_network::connector::{ConnectionPoint, Connector};
use reflow_network::message::Message;
use reflow_network::network::{Network, NetworkConfig};
use reflow_network::tracing::TracingConfig;

/// What goes in.
pub const PACKETS: usize = 20;

#[actor(DoubleActor, inports::<100>(In), outports::<50>(Out))]
async fn double(context: ActorContext) -> Result<HashMap<String, Message>, anyhow::Error> {
    Ok(out(integer(&context) * 2))
}

#[actor(AddActor, inports::<100>(In), outports::<50>(Out))]
async fn add(context: ActorContext) -> Result<HashMap<String, Message>, anyhow::Error> {
    Ok(out(integer(&context) + 1))
}

#[actor(KeepActor, inports::<100>(In), outports::<50>(Out))]
async fn keep(_context: ActorContext) -> Result<HashMap<String, Message>, anyhow::Error> {
    Ok(HashMap::new())
}

fn integer(context: &ActorContext) -> i64 {
    match context.get_payload().get("In") {
        Some(Message::Integer(value)) => *value,
        _ => 0,
    }
}

fn out(value: i64) -> HashMap<String, Message> {
    HashMap::from([("Out".to_owned(), Message::Integer(value))])
}

/// Starts it, traced to this server.
pub fn start(server: &str) -> Network {
    let tracing = TracingConfig {
        server_url: server.to_owned(),
        enabled: true,
        ..TracingConfig::default()
    };
    let mut network = Network::new(NetworkConfig {
        tracing,
        ..NetworkConfig::default()
    });
    network
        .register_actor("double", DoubleActor::new())
        .unwrap();
    network.register_actor("add", AddActor::new()).unwrap();
    network.register_actor("keep", KeepActor::new()).unwrap();
    for name in ["double", "add", "keep"] {
        network.add_node(name, name, None).unwrap();
    }
    for (from, to) in [("double", "add"), ("add", "keep")] {
        let end = |actor: &str, port: &str| ConnectionPoint {
            actor: actor.to_owned(),
            port: port.to_owned(),
            ..ConnectionPoint::default()
        };
        network.add_connection(Connector {
            from: end(from, "Out"),
            to: end(to, "In"),
        });
    }
    network.start().unwrap();
    network
}

/// Sends what goes in.
pub fn feed(network: &Network) {
    for number in 0..PACKETS {
        let packet = Message::Integer(number as i64);
        network.send_to_actor("double", "In", packet).unwrap();
    }
}
