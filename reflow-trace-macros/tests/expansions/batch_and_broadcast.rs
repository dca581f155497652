#[traced_connector(attributes(priority = "message.priority"))]
impl Connector {
    fn send_batch(&self, messages: Vec<M>) -> Result<(), E> {
        self.0.extend(messages);
        Ok(())
    }

    #[trace(batch, attributes(attempt = "attempt"))]
    async fn flush(&self, items: &[M], attempt: u32) -> bool {
        true
    }

    fn broadcast(&self, message: M) -> Result<usize, E> {
        Ok(1)
    }

    #[trace(broadcast, fan_out = "self.0.len()")]
    fn publish(&self, message: M) {}

    #[trace(send)]
    fn poll_send(&mut self, cx: &mut Context<'_>, message: M) -> Poll<Result<(), E>> {
        #![allow(unused)]
        Poll::Pending
    }
}
