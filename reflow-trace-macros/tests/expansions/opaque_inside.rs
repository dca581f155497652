#[traced_connector(crate = crate::tracing)]
impl Connector {
    fn send(&self, message: M) -> Result<impl Iterator<Item = u8> + '_, E> {
        Ok(message.into_iter())
    }

    async fn send_async(&self, message: impl Into<M>) -> Result<impl Iterator<Item = u8>, E> {
        Ok(message.into().into_iter())
    }
}
