#[traced_actor(actor = "self.name", port = "in")]
impl Actor for Validator {
    async fn handle(&mut self, message: Reading, context: &mut Scope) -> Result<(), E> {
        self.out.send(message).await
    }

    #[trace(handler)]
    fn on_tick(&mut self, tick: Tick) {}

    async fn run(mut self, inbox: Inbox<Reading>) -> Result<(), E> {
        Ok(())
    }
}
