#[traced_connector(recv(take), skip(send))]
impl Connector {
    fn send(&self, message: M) {}

    #[inline]
    #[trace(send, message = "envelope", ok = "result.is_accepted()", to_actor = "target")]
    fn forward(&self, target: &str, envelope: M) -> Answer {
        Answer::Accepted
    }

    #[trace(send, ok = result.0, size = "envelope.len()")]
    async fn publish(&self, envelope: M) -> (bool, u8) {
        (true, 0)
    }

    fn take(&self) -> Option<M> {
        None
    }
}
