#[traced_connector(message = topic, from_actor = "\"gate\"", depth = "self.queue.len()")]
unsafe impl<'a, const N: usize> Sender for Connector<'a, { N }> where [(); N]: Sized {
    unsafe extern "C" fn send(
        mut self: Box<Self>,
        mut topic: &str,
        #[rustfmt::skip] Envelope { payload, .. }: Envelope<Vec<u8>, { N }>,
        #[cfg(unix)] (a, _): (u8, u8),
        _: u8,
    ) -> &'a str
    where
        Self: 'a,
    {
        topic = "x";
        topic
    }
}
