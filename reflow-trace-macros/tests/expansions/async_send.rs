#[traced_connector(protocol = "tcp", compression = "zstd", attributes(priority = "message.priority"))]
impl<M: Message + Send> Connector<M> {
    pub async fn send_message(&self, message: M) -> Result<(), SendError> {
        self.channel.send(message).await?;
        Ok(())
    }
}
