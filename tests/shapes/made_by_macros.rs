//! Impls that a `macro_rules!` makes.

use super::*;

struct Connector(Wire);

macro_rules! connector {
    ($name:ident, $message:ident: $type:ty, $cap:expr, $($rest:tt)*) => {
        #[traced_connector(from_actor = "self.0.from_actor", from_port = "self.0.from_port", to_actor = self.0.to_actor, to_port = self.0.to_port)]
        impl $name {
            fn send(&self, $message: $type) -> Result<u32, Full> {
                self.0.push($message)?;
                Ok(2 * $cap)
            }

            $($rest)*
        }
    };
}

connector!(Connector, message: Reading, 1 + 1, fn try_send(&self, message: Reading) -> u32 { message.0 });

#[test]
fn an_expression_that_a_macro_passes_in_stays_one_operand() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(connector.send(Reading(1)), Ok(4));
    assert_eq!(connector.try_send(Reading(1)), 1);
    assert_eq!(recording.lines(), [DELIVERED, DELIVERED]);
}
