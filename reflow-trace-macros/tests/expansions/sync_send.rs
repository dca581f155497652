#[traced_connector]
impl Connector {
    /// Sends one message.
    pub fn send(&self, message: Reading) -> Result<(), SendError> {
        self.queue.push(message)
    }

    fn untouched(&self) -> usize {
        self.queue.len()
    }
}
