#[traced_connector]
impl Connector {
    fn send(&self, message: M) -> ! {
        panic!("{message}")
    }

    async fn send_async(&self, message: M) -> ! {
        loop {}
    }

    #[track_caller]
    fn try_send(&self, mut message: M) -> bool {
        message.push();
        true
    }
}
