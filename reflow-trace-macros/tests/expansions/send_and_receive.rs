#[traced_connector]
impl Connector {
    pub fn send(&self, message: Reading) -> Result<(), SendError<Reading>> {
        self.channel.send(message)
    }

    pub async fn send_message(&self, message: Reading) -> Result<(), SendError<Reading>> {
        self.channel.send(message)?;
        Ok(())
    }

    pub fn recv(&self) -> Result<Reading, RecvError> {
        self.inbox.recv()
    }
}
