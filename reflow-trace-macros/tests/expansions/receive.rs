#[traced_connector(from = "self.from", to = self.to, depth = false)]
impl<M> Connector<M> {
    pub async fn recv(&mut self) -> Option<M> {
        self.receiver.recv().await
    }

    pub fn try_recv(&mut self) -> Result<M, TryRecvError> {
        self.receiver.try_recv()
    }
}
