#[traced_connector(edge = self.edge)]
impl Sender for Connector {
    async fn send(&mut self, mut item: Reading) {
        item.hops += 1;
        self.queue.push(item);
    }
}
